"""Every statement of the document that Dragoman grew out of (in Chinese), one test for each.

The examples run as they stand there, but for the port, the key and the model; the model is the
embedded one, so that the answers are real. Where a statement names a provider, that provider is
there too, with a script to speak by.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cli.processes import Home
from e2e.stage import Stage, set_stage
from e2e.voices import Turn
from running_gateway import provider

MODEL = "my-openai:gpt-4"
CLAUDE = "anthropic:claude-3-opus-20240229"
ASK = [{"role": "user", "content": "你好，你好吗？"}]

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


def describe(url: str) -> str:
    """The providers that the document speaks of."""
    return "".join(
        (
            provider(
                f"{url}/openai",
                "my-openai",
                type="openai",
                name="OpenAI",
                models=[{"id": "gpt-4", "name": "GPT-4"}, "gpt-4o"],
            ),
            provider(f"{url}/anthropic", "anthropic", models=[CLAUDE[10:]], type="anthropic"),
            provider(f"{url}/azure", "my-azure", type="azure-openai", models=["gpt-4"]),
            provider(f"{url}/ollama", "ollama", type="ollama", models=["llama3"]),
            provider(f"{url}/off", "switched-off", models=["m"], enabled=False),
            provider(f"{url}/vectors", "vectors", models=["m"], protocols=["embeddings"]),
        )
    )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with set_stage(tmp_path_factory.mktemp("seed"), describe) as stage:
        yield stage


@pytest.fixture
def client(stage: Stage) -> Iterator[httpx2.Client]:
    """A client without a key, at the base URL that the document gives, but for the port."""
    url = stage.url.replace("127.0.0.1", "localhost")
    with httpx2.Client(base_url=url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def bearer(stage: Stage) -> dict[str, str]:
    return {"Authorization": f"Bearer {stage.key}"}


def adapt(example: str, stage: Stage, model: str) -> str:
    """An example of the document for this gateway: its port, its key, a model that it has."""
    port = stage.url.rpartition(":")[2]
    example = example.replace(":23333", f":{port}").replace(MODEL, model)
    for key in ("your-api-key", "your-cherry-studio-api-key"):
        example = example.replace(key, stage.key)
    return example


def run(*command: str) -> str:
    """What a program prints, once it has ended well."""
    done = subprocess.run(
        command, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def sse_data(text: str) -> list[str]:
    """The data of a stream whose events are `data:` lines with an empty line between them."""
    assert text.endswith("\n\n")
    events = text.removesuffix("\n\n").split("\n\n")
    assert all(event.startswith("data: ") and "\n" not in event for event in events)
    return [event.removeprefix("data: ") for event in events]


# 概述 · what the server has


def test_one_api_reaches_every_provider(client: httpx2.Client, bearer: Any, stage: Stage) -> None:
    """统一的 OpenAI 接口：同一个端点访问所有已配置的提供商。"""
    for model in (MODEL, CLAUDE, "ollama:llama3", "my-azure:gpt-4"):
        stage.play(Turn("Hi."))
        answer = client.post(
            "/v1/chat/completions", headers=bearer, json={"model": model, "messages": ASK}
        )
        assert answer.json()["choices"][0]["message"]["content"] == "Hi.", answer.text


def test_there_is_an_endpoint_for_openais_chat(
    client: httpx2.Client, bearer: Any, local_model: str
) -> None:
    """OpenAI 兼容的聊天补全端点。"""
    body = {"model": local_model, "messages": ASK, "max_tokens": 8}
    answer = client.post("/v1/chat/completions", headers=bearer, json=body).json()
    assert answer["object"] == "chat.completion"


def test_there_is_an_endpoint_for_anthropics_messages(
    client: httpx2.Client, bearer: Any, local_model: str
) -> None:
    """Anthropic 兼容的消息端点。"""
    body = {"model": local_model, "messages": ASK, "max_tokens": 8}
    assert client.post("/v1/messages", headers=bearer, json=body).json()["type"] == "message"


# 开始使用 · how to begin


def test_the_port_is_23333_unless_another_is_chosen(stage: Stage, tmp_path: Path) -> None:
    """默认端口为 23333；端口可以更改。"""
    assert "port = 23333" in Home(tmp_path).run("config", "show").out
    assert not stage.url.endswith(":23333")


def test_a_key_is_made_that_can_be_copied(stage: Stage) -> None:
    """服务器启动时生成 API 密钥，供复制使用。"""
    assert stage.key.startswith("sk-dragoman-")
    assert stage.home.run("key", "show").out.strip() == stage.key


def test_the_base_url_may_say_localhost(client: httpx2.Client) -> None:
    """基础 URL 为 http://localhost:端口。"""
    assert client.base_url.host == "localhost"
    assert client.get("/health").status_code == 200


# 认证 · authentication


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("GET", f"/v1/models/{MODEL}"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/messages"),
        ("POST", "/v1/messages/count_tokens"),
        ("POST", "/v1/responses"),
        ("POST", "/v1/embeddings"),
        ("POST", "/anthropic/v1/messages"),
        ("GET", "/admin/providers"),
    ],
)
def test_everything_else_needs_a_key(client: httpx2.Client, method: str, path: str) -> None:
    """除健康检查与文档外，所有请求都需要认证。"""
    assert client.request(method, path).status_code == 401


@pytest.mark.parametrize("path", ["/health", "/api-docs", "/api-docs.json"])
def test_health_and_documentation_need_no_key(client: httpx2.Client, path: str) -> None:
    """健康检查与接口文档无需认证。"""
    assert client.get(path).status_code == 200


def test_a_bearer_token_is_a_key(client: httpx2.Client, stage: Stage) -> None:
    """认证方式之一：Authorization: Bearer。"""
    headers = {"Authorization": f"Bearer {stage.key}"}
    assert client.get("/v1/models", headers=headers).status_code == 200


def test_x_api_key_is_a_key(client: httpx2.Client, stage: Stage) -> None:
    """认证方式之二：X-API-Key。"""
    assert client.get("/v1/models", headers={"X-API-Key": stage.key}).status_code == 200


# API 端点 · the endpoints


def test_health_tells_the_state_of_the_server(client: httpx2.Client) -> None:
    """GET /health：返回服务器状态。"""
    assert client.get("/health").json()["status"] == "ok"


def test_the_list_of_models(client: httpx2.Client, bearer: Any) -> None:
    """GET /v1/models：列表及每个模型的字段。"""
    page = client.get("/v1/models", headers=bearer).json()
    assert page["object"] == "list"
    entry = next(each for each in page["data"] if each["id"] == MODEL)
    assert isinstance(entry.pop("created"), int)
    wanted = {
        "id": MODEL,
        "object": "model",
        "name": "GPT-4",
        "owned_by": "OpenAI",
        "provider": "my-openai",
        "provider_type": "openai",
    }
    assert wanted.items() <= entry.items()


@pytest.mark.parametrize("wanted", ["openai", "anthropic"])
def test_the_list_by_type_of_provider(client: httpx2.Client, bearer: Any, wanted: str) -> None:
    """查询参数 providerType：按提供商类型过滤。"""
    page = client.get("/v1/models", params={"providerType": wanted}, headers=bearer).json()
    assert {entry["provider_type"] for entry in page["data"]} == {wanted}


def test_the_list_with_a_limit(client: httpx2.Client, bearer: Any) -> None:
    """查询参数 limit：返回的最大模型数量。"""
    page = client.get("/v1/models", params={"limit": 2}, headers=bearer).json()
    assert len(page["data"]) == 2


def test_the_list_in_pages(client: httpx2.Client, bearer: Any) -> None:
    """查询参数 offset：分页偏移量。"""
    whole = client.get("/v1/models", headers=bearer).json()["data"]
    pages = [
        client.get("/v1/models", params={"limit": 1, "offset": offset}, headers=bearer).json()
        for offset in range(len(whole))
    ]
    assert [page["data"] for page in pages] == [[entry] for entry in whole]


def test_the_body_of_a_chat_completion(client: httpx2.Client, bearer: Any, stage: Stage) -> None:
    """POST /v1/chat/completions：model、messages、temperature、stream。"""
    stage.play(Turn("很好。"))
    body = {"model": MODEL, "messages": ASK, "temperature": 0.7, "stream": False}
    answer = client.post("/v1/chat/completions", headers=bearer, json=body)
    assert answer.json()["choices"][0]["message"]["content"] == "很好。"
    assert stage.last_body() == body | {"model": "gpt-4"}


@pytest.mark.parametrize(
    ("model", "place", "bare"),
    [(MODEL, "/openai/", "gpt-4"), (CLAUDE, "/anthropic/", CLAUDE[10:])],
)
def test_a_model_is_named_by_its_provider_and_its_id(
    client: httpx2.Client, bearer: Any, stage: Stage, model: str, place: str, bare: str
) -> None:
    """模型格式：提供商 ID 加冒号加模型标识符。"""
    stage.play(Turn("Hi."))
    body = {"model": model, "messages": ASK}
    assert client.post("/v1/chat/completions", headers=bearer, json=body).status_code == 200
    assert stage.last_body()["model"] == bare
    assert stage.heard()[0].path.startswith(place)


def test_the_body_of_a_message(client: httpx2.Client, bearer: Any, stage: Stage) -> None:
    """POST /v1/messages：model、max_tokens、messages、stream。"""
    stage.play(Turn("你好！"))
    body = {"model": CLAUDE, "max_tokens": 1024, "messages": ASK, "stream": False}
    answer = client.post("/v1/messages", headers=bearer, json=body).json()
    assert answer["content"][0]["text"] == "你好！"
    assert stage.last_body() == body | {"model": CLAUDE[10:]}


def test_messages_with_the_provider_in_the_path(
    client: httpx2.Client, bearer: Any, stage: Stage
) -> None:
    """POST /{提供商}/v1/messages：提供商在路径中，model 只写模型标识符。"""
    stage.play(Turn("你好！"))
    body = {"model": CLAUDE[10:], "max_tokens": 1024, "messages": ASK}
    answer = client.post("/anthropic/v1/messages", headers=bearer, json=body).json()
    assert answer["content"][0]["text"] == "你好！"
    assert stage.last_body() == body


# 流式响应 · streams


def test_a_chat_completion_can_be_streamed(
    client: httpx2.Client, bearer: Any, local_model: str
) -> None:
    """聊天补全支持 "stream": true；事件为 data: 行，以 data: [DONE] 结束。"""
    body = {"model": local_model, "messages": ASK, "stream": True, "max_tokens": 12}
    answer = client.post("/v1/chat/completions", headers=bearer, json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *chunks, done = sse_data(answer.text)
    assert done == "[DONE]"
    first = json.loads(chunks[0])
    assert first["id"]
    texts = [each["choices"][0]["delta"].get("content") for each in map(json.loads, chunks)]
    assert "".join(text for text in texts if text)


def test_a_message_can_be_streamed(client: httpx2.Client, bearer: Any, local_model: str) -> None:
    """消息端点同样支持流式传输。"""
    body = {"model": local_model, "messages": ASK, "stream": True, "max_tokens": 12}
    answer = client.post("/v1/messages", headers=bearer, json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    names = [line for line in answer.text.splitlines() if line.startswith("event: ")]
    assert names[0] == "event: message_start"
    assert names[-1] == "event: message_stop"


# API 文档 · the documentation


def test_the_documentation_page(client: httpx2.Client) -> None:
    """交互式 Swagger 文档位于 /api-docs。"""
    page = client.get("/api-docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "swagger-ui" in page.text


def test_the_openapi_document(client: httpx2.Client) -> None:
    """OpenAPI 规范可从 /api-docs.json 下载。"""
    document = client.get("/api-docs.json").json()
    assert document["openapi"].startswith("3.")
    assert {"/v1/models", "/v1/chat/completions", "/v1/messages"} <= document["paths"].keys()


# 示例 · the examples

CURL_MODELS = """\
curl -X GET "http://localhost:23333/v1/models" \\
  -H "Authorization: Bearer your-api-key"
"""
CURL_CHAT = """\
curl -X POST "http://localhost:23333/v1/chat/completions" \\
  -H "Authorization: Bearer your-api-key" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "my-openai:gpt-4",
    "messages": [{"role": "user", "content": "打个招呼！"}]
  }'
"""
CURL_STREAM = """\
curl -X POST "http://localhost:23333/v1/chat/completions" \\
  -H "Authorization: Bearer your-api-key" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "my-openai:gpt-4",
    "messages": [{"role": "user", "content": "给我讲个故事"}],
    "stream": true
  }'
"""
PYTHON = """\
from openai import OpenAI

client = OpenAI(
    base_url="http://localhost:23333/v1",
    api_key="your-cherry-studio-api-key"
)

# 列出模型
models = client.models.list()
for model in models:
    print(model.id)

# 聊天补全
response = client.chat.completions.create(
    model="my-openai:gpt-4",
    messages=[{"role": "user", "content": "你好！"}]
)
print(response.choices[0].message.content)

# 流式传输
stream = client.chat.completions.create(
    model="my-openai:gpt-4",
    messages=[{"role": "user", "content": "给我讲个故事"}],
    stream=True
)
for chunk in stream:
    if chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="")
"""


@needs_curl
def test_curl_lists_the_models(stage: Stage, local_model: str) -> None:
    """示例：用 curl 列出模型。"""
    listed = json.loads(run("sh", "-c", adapt(CURL_MODELS, stage, local_model)))
    assert {MODEL, CLAUDE, local_model} <= {entry["id"] for entry in listed["data"]}


@needs_curl
def test_curl_completes_a_chat(stage: Stage, local_model: str) -> None:
    """示例：用 curl 进行聊天补全。"""
    answer = json.loads(run("sh", "-c", adapt(CURL_CHAT, stage, local_model)))
    assert answer["choices"][0]["message"]["content"]


@needs_curl
def test_curl_streams_a_chat(stage: Stage, local_model: str) -> None:
    """示例：用 curl 进行流式聊天补全。"""
    *chunks, done = sse_data(run("sh", "-c", adapt(CURL_STREAM, stage, local_model)))
    assert done == "[DONE]"
    assert all(json.loads(chunk)["object"] == "chat.completion.chunk" for chunk in chunks)


@needs_curl
def test_curl_without_a_change_of_the_model(stage: Stage) -> None:
    """同样的示例，模型名原样保留。"""
    stage.play(Turn("嗨！"))
    answer = json.loads(run("sh", "-c", adapt(CURL_CHAT, stage, MODEL)))
    assert answer["choices"][0]["message"]["content"] == "嗨！"


def test_the_python_example(stage: Stage, local_model: str) -> None:
    """示例：Python 的 openai 库，列出模型、补全、流式。"""
    printed = run(sys.executable, "-c", adapt(PYTHON, stage, local_model))
    models = json.loads(
        httpx2.get(f"{stage.url}/v1/models", headers={"x-api-key": stage.key}, trust_env=False).text
    )["data"]
    listing = "".join(f"{entry['id']}\n" for entry in models)
    assert printed.startswith(listing)
    assert printed.removeprefix(listing).strip()


# 支持的提供商类型 · types of providers, and 与 LM Studio 比较 · what others have not


@pytest.mark.parametrize("model", [MODEL, "my-azure:gpt-4", "vectors:m"])
def test_providers_of_openais_kind(
    client: httpx2.Client, bearer: Any, stage: Stage, model: str
) -> None:
    """支持 OpenAI 类型：OpenAI、Azure OpenAI、兼容 API。"""
    listed = client.get(f"/v1/models/{model}", headers=bearer).json()
    assert listed["provider_type"] in {"openai", "azure-openai", "openai-compatible"}


def test_providers_of_anthropics_kind(client: httpx2.Client, bearer: Any) -> None:
    """支持 Anthropic 类型。"""
    listed = client.get(f"/v1/models/{CLAUDE}", headers=bearer).json()
    assert listed["provider_type"] == "anthropic"


def test_local_models_by_ollama(client: httpx2.Client, bearer: Any, stage: Stage) -> None:
    """通过 Ollama 使用本地模型。"""
    stage.play(Turn("Hi."))
    for path in ("/v1/chat/completions", "/v1/messages"):
        body = {"model": "ollama:llama3", "messages": ASK, "max_tokens": 9}
        assert client.post(path, headers=bearer, json=body).status_code == 200


# 故障排除 · when something goes wrong


def test_a_taken_port_is_told(stage: Stage, tmp_path: Path) -> None:
    """服务器无法启动：说明端口已被占用，并提示换一个端口。"""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = Home(tmp_path).run("serve", "--port", port)
    assert ended.status == 1
    assert f"Port {port} is taken" in ended.err
    assert "--port" in ended.err


def test_a_wrong_key_is_told(client: httpx2.Client, stage: Stage) -> None:
    """认证错误：密钥不正确。"""
    answer = client.get("/v1/models", headers={"X-API-Key": stage.key + "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("form", ["{}", "Basic {}", "Bearer{}", "Token {}", "Bearer"])
def test_an_authorization_header_of_the_wrong_form_is_told(
    client: httpx2.Client, stage: Stage, form: str
) -> None:
    """认证错误：Authorization 头格式不正确。"""
    answer = client.get("/v1/models", headers={"Authorization": form.format(stage.key)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        pytest.param("switched-off:m", 404, "provider_not_found", id="provider-not-enabled"),
        pytest.param("my-openai:gpt-5", 404, "model_not_found", id="not-in-the-list"),
        pytest.param("gpt-five", 400, "invalid_model_format", id="no-provider-in-the-name"),
    ],
)
def test_a_model_that_is_not_found_is_told(
    client: httpx2.Client, bearer: Any, model: str, status: int, code: str
) -> None:
    """找不到模型：提供商未启用、模型不在列表中、格式不正确。"""
    body = {"model": model, "messages": ASK}
    answer = client.post("/v1/chat/completions", headers=bearer, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert model.rpartition(":")[2] in answer.json()["error"]["message"] or "switched-off" in model


def test_a_provider_that_cannot_do_it_is_told(client: httpx2.Client, bearer: Any) -> None:
    """提供商不支持：明确说明。"""
    body = {"model": "vectors:m", "messages": ASK}
    answer = client.post("/v1/chat/completions", headers=bearer, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        400,
        "unsupported_provider_type",
    )
