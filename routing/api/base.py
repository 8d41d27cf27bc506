"""Base views for list and instance resources.

A view builds the context of a request, calls the resource's operation, and renders the rows. It
declares what the API description says beyond the operation's parameters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from routing import models
from routing.api import idempotency, pagination
from routing.api.authentication import BasicAuthentication, Caller
from routing.api.parsers import FormParser, choose_parser
from routing.api.responses import ApiResponse
from routing.fields.shapes import Shape
from routing.operations import base as operations
from routing.operations import rate_limits
from routing.operations.base import Arguments
from routing.operations.context import Context
from routing.operations.forms import Form, parse_query
from routing.operations.parameters import Param

READ_ONLY: Final = ["get", "head", "options"]
NO_DELETE: Final = ["get", "head", "post", "options"]
POST_ONLY: Final = ["post", "options"]


class AccountThrottle(BaseThrottle):
    """Throttle that counts requests by account, and adds its headers to every answer."""

    def allow_request(self, request: HttpRequest, view: APIView) -> bool:
        """Count an authenticated request; raises `ApiError` if it exceeds the limit."""
        assert isinstance(view, ResourceView)
        if view.found_caller is None:
            return True
        use = rate_limits.count_request(view.caller.account.sid, now=view.now.timestamp())
        if use is not None:
            view.headers.update(use.headers)
            use.check()
        return True


class ResourceView(APIView):
    """Base view of every path: the caller, the context, the form and the time of the request."""

    authentication_classes = [BasicAuthentication]
    permission_classes = []
    throttle_classes = [AccountThrottle]
    parser_classes = [FormParser]
    http_method_names = ["get", "head", "post", "delete", "options"]

    operation_class: ClassVar[type[operations.Operation]] = operations.Operation
    shape: ClassVar[Shape]
    """What one row looks like in an answer."""
    beside: ClassVar[Shape | None] = None
    """What stands beside the list on a page, if anything."""
    created: ClassVar[int] = 200
    """The status of a POST that succeeds."""
    about: ClassVar[Mapping[str, str]]
    """By method, a summary line and an optional description."""
    filters: ClassVar[tuple[Param, ...]] = ()
    """The parameters of the query, where no operation declares them."""
    params: ClassVar[tuple[Param, ...]] = ()
    """The parameters of the form, where no operation declares them."""
    extra: ClassVar[tuple[Param, ...]] = ()
    """Parameters of the form that only some requests use."""
    json_params: ClassVar[tuple[Param, ...]] = ()
    """The parameters of a JSON body, where JSON is read as well as forms."""
    repeatable: ClassVar[bool] = False
    """Whether a POST takes an idempotency key."""
    sealed: ClassVar[bool] = False
    """Whether the answer to a POST contains a secret and is stored sealed."""
    refusals: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    """By method, the error statuses beyond those that every method can return."""

    if TYPE_CHECKING:  # set by Django
        request: HttpRequest  # type: ignore[assignment]
    headers: dict[str, str]
    """The headers of the answer beside its own."""
    found_caller: Caller | None = None
    """The authenticated caller; None for requests that need none."""

    @classmethod
    def query_params(cls) -> tuple[Param, ...]:
        """Return the parameters of the query, without those of paging."""
        return cls.filters

    @classmethod
    def form_params(cls) -> tuple[Param, ...]:
        """Return the parameters of the form."""
        return (*cls.operation_class.params, *cls.params)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return the headers of every answer. Caches may not store it: it depends on the caller."""
        return {**super().default_response_headers, "Cache-Control": "no-store"}

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer a request as the framework does, without its own request and response objects.

        They serve views that offer several formats; these views have one.
        """
        self.headers = self.default_response_headers
        try:
            response = self.carry_out(request, **kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        for name, value in self.headers.items():
            response.headers[name] = value
        return response

    def carry_out(self, request: Any, **names: str) -> HttpResponse:
        """Check the caller, and call the method's handler."""
        self.perform_authentication(request)
        self.check_throttles(request)
        method = request.method.lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        return cast(HttpResponse, (handler or self.http_method_not_allowed)(request, **names))

    def perform_authentication(self, request: Any) -> None:
        """Find the caller. Raises the framework's errors for wrong credentials."""
        for authenticator in self.get_authenticators():
            if found := authenticator.authenticate(request):
                self.found_caller = found[0]
                # `config.client_keys` reads it for the log.
                request.user = found[0]
                return

    @property
    def caller(self) -> Caller:
        """Return the authenticated caller."""
        assert self.found_caller is not None
        return self.found_caller

    @cached_property
    def now(self) -> datetime:
        """Return the time of this request."""
        return timezone.now()

    @cached_property
    def base(self) -> str:
        """Return the URL of the API as the client reaches it."""
        return f"{self.request.scheme}://{self.request.get_host()}/v1"

    @cached_property
    def context(self) -> Context:
        """Return the context of this request. Raises `NotFound` for an unknown workspace."""
        caller, path = self.caller, self.request.path
        sid = self.kwargs.get("workspace_sid")
        return Context(
            account=caller.account,
            actor=caller.actor,
            now=self.now,
            path=path,
            workspace=None
            if sid is None
            else operations.load_workspace(caller.account, sid, path=path),
            if_match=self.request.META.get("HTTP_IF_MATCH", ""),
        )

    @cached_property
    def operation(self) -> Any:
        """Return the operation of this request. Raises `NotFound` for an unknown workspace."""
        names = {name: sid for name, sid in self.kwargs.items() if name != "workspace_sid"}
        return self.operation_class(self.context, **names)

    def forget_rows(self) -> None:
        """Forget the rows that this request has loaded, so that they are loaded again."""
        for name in ("context", "operation"):
            self.__dict__.pop(name, None)

    @property
    def workspace(self) -> models.Workspace:
        """Return the workspace in the path, if it belongs to the caller."""
        workspace = self.context.workspace
        assert workspace is not None
        return workspace

    @cached_property
    def form(self) -> Form:
        """Return the request's form; raises `ApiError` and `UnsupportedMediaType`."""
        request: Any = self.request
        meta = request.META
        announced = meta.get("CONTENT_LENGTH") or ""
        if not (announced.isdecimal() and int(announced[:18])):
            return {}
        content_type = meta.get("CONTENT_TYPE", "")
        parser = choose_parser(content_type, self.parser_classes)
        return cast(Form, parser.parse(request, content_type, {"request": request}))

    def read_query(self) -> Form:
        """Return the request's query as a form. Raises `ApiError`."""
        return parse_query(self.request.META.get("QUERY_STRING", ""))

    def represent(self, row: Any) -> dict[str, Any]:
        """Return the representation of a row."""
        raise NotImplementedError

    def represent_one(self, row: Any) -> dict[str, Any]:
        """Return the representation of a row that is the whole answer."""
        return self.represent(row)

    def answer(self, row: Any, *, status: int = 200) -> ApiResponse:
        """Return a row as a response, with an ETag if it has a version."""
        headers = {"ETag": f'"{row.version}"'} if hasattr(row, "version") else None
        return ApiResponse(self.represent_one(row), status=status, headers=headers)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the allowed methods in `Allow`; browsers ask without credentials."""
        return ApiResponse(status=204)


class ListView(ResourceView):
    """View of a list: return pages of rows, and create a row if the resource allows it."""

    operation_class: ClassVar[type[operations.ListOperation[Any]]]
    key: ClassVar[str]
    created = 201
    repeatable = True

    @classmethod
    def query_params(cls) -> tuple[Param, ...]:
        """Return the filters of the list."""
        return cls.operation_class.filters

    def represent_page(self, rows: Sequence[Any], arguments: Arguments) -> list[dict[str, Any]]:
        """Return the representations of a page's rows."""
        return [self.represent(row) for row in rows]

    def get(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Return one page."""
        form = self.read_query()
        with self.operation.open_query(form) as query:
            wanted = pagination.read_page_request(form, query.order)
            page = query.load_page(wanted)
        body = pagination.page_body(
            request,
            form,
            key=self.key,
            items=self.represent_page(page.rows, query.arguments),
            wanted=wanted,
            page=page,
            order=query.order,
        )
        return ApiResponse(body, headers=_page_version(page.rows))

    def post(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Create a row. A wrong path is reported before a wrong form."""
        operation = self.operation
        return idempotency.answer_creation(
            self,
            lambda: self.answer(
                operation.create(operation.read_arguments(self.form)), status=self.created
            ),
        )


class InstanceView(ResourceView):
    """View of one row: return, change and delete it."""

    operation_class: ClassVar[type[operations.InstanceOperation[Any]]]

    def get(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Return the row."""
        return self.answer(self.operation.find())

    def post(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Change the row; an empty form changes nothing."""
        row = self.operation.find()
        return self.answer(self.operation.change(row, self.form))

    def delete(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Delete the row."""
        self.operation.remove(self.operation.find())
        return ApiResponse(status=204)


def _page_version(rows: Sequence[Any]) -> dict[str, str] | None:
    """Return the ETag of a page whose rows have versions: a digest of those."""
    if not rows or not hasattr(rows[0], "version"):
        return None
    versions = " ".join(f"{row.sid}:{row.version}" for row in rows)
    return {"ETag": f'"{hashlib.sha256(versions.encode()).hexdigest()[:32]}"'}
