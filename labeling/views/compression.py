"""Pages travel compressed: thirty labels with their meanings are 90 KB of HTML, and 8 KB on the wire."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class CompressedPages(GZipMiddleware):
    """HTML alone. Compressing would weaken the ETags that programs send back, and hold up what is streamed to them.

    How long a compressed page is tells nothing: Django masks the CSRF token anew each time and adds random bytes.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming or not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed
