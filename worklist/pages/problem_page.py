"""The page of a problem: what went wrong, in words, and the way on."""

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from readfirst.language.texts import gettext, speaking
from worklist.http.language import page_language
from worklist.http.problems import Problem
from worklist.security.principal import Principal
from worklist.services.templating import TEMPLATES

HEADINGS = {
    401: "Log in first",
    403: "You have no access to this page",
    404: "There is no such page",
    405: "This page cannot be opened by itself",
    409: "Something came in between",
    410: "It is no longer kept",
    413: "This is too large",
    415: "This is not taken here",
    421: "This server has another name",
    422: "The address or the form is not understood",
    500: "The server has a fault",
    503: "The server cannot answer at the moment",
}
ADVICE = {
    401: "Your session may have ended.",
    403: "Somebody who runs this server can give your account another role.",
    404: "The address may be mistyped, or the page may have another address now.",
    405: "It is the address of a form, or of a button.",
    422: "Go back and choose again.",
    500: "Nothing was changed. Tell whoever runs this server; its log says more.",
    503: "Nothing was lost. Try again in some seconds.",
}
#: From here on the fault is not in the request: the same may work later.
SERVER_FAULT = 500


async def problem_page(request: Request, problem: Problem) -> Response:
    """The page, in the language of whoever asked."""
    language = page_language(request)
    principal: Principal | None = getattr(request.state, "principal", None)
    # A server with a fault may be unable to read what the navigation shows.
    is_server_fault = problem.status >= SERVER_FAULT
    context = {
        "request": request,
        "problem": problem,
        "heading": gettext(HEADINGS.get(problem.status, problem.title)),
        "advice": gettext(ADVICE.get(problem.status, "")),
        "principal": None if is_server_fault else principal,
        "may_try_again": is_server_fault and request.method == "GET",
    }
    with speaking(language):
        content = await run_in_threadpool(TEMPLATES.get_template("problem.html").render, context)
    return HTMLResponse(content, headers={"Content-Language": language.code})
