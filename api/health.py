"""Whether this process and its database answer."""

from typing import Any

from django.db import connection
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.door import Door
from api.entrance import Anybody
from api.schema import operation


class HealthShown(serializers.Serializer[Any]):
    """ok, or there is no such answer."""

    status = serializers.ChoiceField([("ok", "ok")])


class Health(Door):
    """/health"""

    authentication_classes = []
    permission_classes = [Anybody]

    @operation("health", "service", answer=HealthShown, shows={"status": "ok"})
    def get(self, request: Request) -> Response:
        """Whether this process and its database answer. If not, it is 503."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Response({"status": "ok"})
