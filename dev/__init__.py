"""The demo's world: embedded servers, Twilio simulator, demo data. The product never imports it."""
