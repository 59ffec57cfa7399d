"""Stands in for the engine: the same names, no model, and faults on demand.

What follows the magic in the "model" file is JSON: `load_s` delays loading, `error` is logged and
fails it, `noise` is how many bytes are printed first. `POST /v1/abort` dies as a failed assertion
of the native code does.
"""

import http.server
import json
import os
import sys
import threading
import time
import types


class CommonParams:
    def __init__(self):
        self.model = types.SimpleNamespace(path="")
        self.cpuparams = types.SimpleNamespace(n_threads=-1)
        self.api_keys = []
        self.n_ubatch = 512


class llama_pooling_type:  # noqa: N801 - the engine's own name
    LLAMA_POOLING_TYPE_LAST = 3


class Server:
    def __init__(self, params):
        with open(params.model.path, "rb") as file:
            faults = json.loads(file.read()[4:] or b"{}")
        os.write(1, b"x" * faults.get("noise", 0) + b"\n")
        time.sleep(faults.get("load_s", 0))
        if "error" in faults:
            print(f"0.00.001.002 E load: {faults['error']}", file=sys.stderr)
            print("0.00.001.003 E load: giving up", file=sys.stderr)
            raise RuntimeError("Failed to init server")
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(params))
        self.listening_address = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()


def _handler(params):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(200, {"status": "ok"})

        def do_POST(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.headers["authorization"] != f"Bearer {params.api_keys[0]}":
                self._answer(401, {})
            elif self.path == "/v1/abort":
                print("0.00.002.000 E a caller's own words", file=sys.stderr)
                print("ggml.c:7: GGML_ASSERT(n > 0) failed", file=sys.stderr, flush=True)
                os.abort()
            else:
                self._answer(200, {"model": next(iter(params.model_alias))})

        def _answer(self, status, body):
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    return Handler
