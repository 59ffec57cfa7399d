"""http.admin.session: a browser is logged in for a key, and out."""

from __future__ import annotations

from running_gateway import Running

from dragoman.http import guard


async def test_a_key_of_the_scope_admin_logs_in(running: Running) -> None:
    shown = {"authorization": f"Bearer {running.admin_key}"}
    async with running.client(None) as browser:
        answer = await browser.post("/admin/login", headers={"origin": running.url, **shown})
        assert (answer.status_code, answer.content) == (204, b"")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert (await browser.get("/admin/status")).status_code == 200


async def test_other_keys_and_other_pages_log_nobody_in(running: Running) -> None:
    for key, headers, code in (
        (running.key, {}, 403),
        ("sk-wrong", {}, 401),
        (None, {}, 401),
        (running.admin_key, {"origin": "https://evil.example"}, 403),
    ):
        async with running.client(key) as browser:
            answer = await browser.post("/admin/login", headers=headers)
        assert answer.status_code == code
        assert "set-cookie" not in answer.headers


async def test_logging_out_takes_the_cookie_away(running: Running) -> None:
    token = running.gateway.box.mint(guard.LOGIN_PURPOSE, 60)
    async with running.client(None) as browser:
        await browser.get("/", params={"token": token})
        assert guard.SESSION_COOKIE in browser.cookies
        answer = await browser.post("/admin/logout", headers={"origin": running.url})
        assert (answer.status_code, answer.content) == (204, b"")
        assert guard.SESSION_COOKIE not in browser.cookies
        assert (await browser.get("/admin/status")).status_code == 401
