#!/usr/bin/python3
"""A chat backend as many are: python3-websockets, a session cookie, and no check of any kind.

Every handler is taken from the vulnerable examples that the demo starts from: it acts for whoever the cookie says, builds a
shell command and an SQL query out of what it is sent, and deletes accounts on request. It knows nothing of the gateway, and
no line of it changes when the gateway stands in front.

    backend.py PORT [PAGE]
"""

import asyncio
import http
import http.cookies
import json
import pathlib
import secrets
import sqlite3
import subprocess
import sys
import urllib.parse

import websockets

PAGE = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).with_name("page.html"))
SESSIONS = {}

DATABASE = sqlite3.connect(":memory:", check_same_thread=False)
DATABASE.executescript(
    """
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
    INSERT INTO users VALUES (1, 'alice', 'alice@app.example'), (2, 'bob', 'bob@app.example'), (3, 'carol', 'carol@app.example');
    CREATE TABLE messages (recipient TEXT, text TEXT);
    INSERT INTO messages VALUES ('alice', 'bob: the safe opens with 4711'), ('alice', 'carol: see you at eight');
    """
)


def session_of(headers):
    cookie = http.cookies.SimpleCookie(headers.get("Cookie", ""))
    return SESSIONS.get(cookie["session"].value) if "session" in cookie else None


async def http_side(path, headers):
    """The HTTP half: a page, a sign-in, and who am I. None goes on to the WebSocket."""
    url = urllib.parse.urlsplit(path)
    if url.path == "/":
        return http.HTTPStatus.OK, [("Content-Type", "text/html; charset=utf-8")], PAGE.read_bytes()
    if url.path == "/login":
        user = urllib.parse.parse_qs(url.query).get("user", ["alice"])[0]
        sid = secrets.token_urlsafe(24)
        SESSIONS[sid] = user
        cookie = f"session={sid}; Path=/; HttpOnly; Secure; SameSite=None"
        return http.HTTPStatus.FOUND, [("Set-Cookie", cookie), ("Location", "/")], b""
    if url.path == "/me":
        user = session_of(headers)
        if user is None:
            return http.HTTPStatus.UNAUTHORIZED, [], b"nobody"
        return http.HTTPStatus.OK, [("X-User", user)], b"ok"
    if url.path != "/ws":
        return http.HTTPStatus.NOT_FOUND, [], b"not found"
    return None


async def serve(socket, path=None):
    user = session_of(socket.request_headers)
    if user is None:
        await socket.close(1008, "sign in first")
        return
    async for text in socket:
        message = json.loads(text)
        action = message.get("action")
        if action == "chat":
            answer = {"action": "chat", "from": user, "text": message["text"]}
        elif action == "getPrivateMessages":
            rows = DATABASE.execute("SELECT text FROM messages WHERE recipient = ?", (user,))
            answer = {"action": action, "messages": [row[0] for row in rows]}
        elif action == "deleteAccount":
            DATABASE.execute("DELETE FROM users WHERE name = ?", (user,))
            answer = {"action": action, "deleted": user}
        elif action == "convert":
            # VULNERABLE: the file's name becomes part of a shell command.
            done = subprocess.run(f"echo converting {message['filename']}", shell=True, capture_output=True, text=True)
            answer = {"action": action, "output": done.stdout}
        elif action == "user":
            # VULNERABLE: the id becomes part of the query.
            rows = DATABASE.execute(f"SELECT id, name, email FROM users WHERE id = {message['userId']}")
            answer = {"action": action, "users": [list(row) for row in rows]}
        else:
            answer = {"action": action, "error": "unknown"}
        await socket.send(json.dumps(answer))


async def main():
    port = int(sys.argv[1])
    async with websockets.serve(serve, "127.0.0.1", port, process_request=http_side) as server:
        print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
        # It ends with whoever started it.
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
