"""http.admin.session: a browser is logged out."""

from __future__ import annotations

from running_gateway import Running

from dragoman.http import guard


async def test_logging_out_takes_the_cookie_away(running: Running) -> None:
    token = running.gateway.box.mint(guard.LOGIN_PURPOSE, 60)
    async with running.client(None) as browser:
        await browser.get("/", params={"token": token})
        assert guard.SESSION_COOKIE in browser.cookies
        answer = await browser.post("/admin/logout", headers={"origin": running.url})
        assert (answer.status_code, answer.content) == (204, b"")
        assert guard.SESSION_COOKIE not in browser.cookies
        assert (await browser.get("/admin/status")).status_code == 401
