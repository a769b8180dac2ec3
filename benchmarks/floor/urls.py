"""One SKIP LOCKED claim and one insert behind the product's own middleware, authentication and renderer."""

import json

from django.db import connection, transaction
from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.views import health

CLAIM = """
UPDATE labeling_assignment SET state = 'done', annotator_id = %s, available_at = NULL
WHERE id = (SELECT id FROM labeling_assignment
            WHERE project_id = %s AND state = 'open' AND available_at <= now() AND assigned_to_id IS NULL
            ORDER BY position, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, item_id"""
INSERT = """
INSERT INTO labeling_draft (annotator_id, item_id, round, answer, saved_at) VALUES (%s, %s, 1, %s, now())
ON CONFLICT DO NOTHING RETURNING id"""


class BareView(APIView):
    permission_classes = [IsAuthenticated]

    def post(self, request, project_id: int) -> Response:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(CLAIM, [request.user.pk, project_id])
            slot_id, item_id = cursor.fetchone()
            verdicts = dict.fromkeys(request.data["yes"], "yes")
            cursor.execute(INSERT, [request.user.pk, item_id, json.dumps(verdicts)])
        return Response({"assignment": slot_id, "item": item_id, "verdicts": verdicts}, status=201)


urlpatterns = [path("healthz", health.healthz), path("bare/<int:project_id>/", BareView.as_view())]
