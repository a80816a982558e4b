"""DOOR for programs: Django REST Framework, OpenAPI, Twilio's webhooks."""
