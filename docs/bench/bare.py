"""The yardstick: an aiohttp server that reads JSON and answers JSON, and does nothing else. `python bare.py PORT`."""

import asyncio
import sys

from aiohttp import web


async def post(request: web.Request) -> web.Response:
    message = await request.json()
    return web.json_response(
        {"id": len(message), "created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-15T00:00:00Z"}, status=201
    )


async def main() -> None:
    app = web.Application()
    app.router.add_post("/v1/messages", post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]), backlog=1024).start()
    await asyncio.Event().wait()


asyncio.run(main())
