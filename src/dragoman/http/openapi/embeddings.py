"""OpenAI Embeddings: `POST /v1/embeddings`, fields as openai-python 3.57 has them."""

from __future__ import annotations

from dragoman.http.openapi.route import Answer, Route
from dragoman.http.openapi.schema import (
    Schema,
    any_of,
    array,
    const,
    enum,
    integer,
    number,
    obj,
    ref,
    string,
)
from dragoman.protocols import EMBEDDINGS

TAG = "Embeddings"

SCHEMAS: dict[str, Schema] = {
    "EmbeddingRequest": obj(
        {
            "model": ref("ModelName"),
            "input": any_of(
                string(),
                array(string()),
                array(integer(), "Token ids."),
                array(array(integer())),
                description="One text or several, as text or as token ids.",
            ),
            "encoding_format": enum(
                "float base64",
                "`base64` is shorter: float32 numbers, little-endian. OpenAI's own libraries ask "
                "for it unless told otherwise.",
            ),
            "dimensions": integer("How long the vectors shall be, where the model can choose."),
            "user": string(),
        },
        required="model input",
        description="The gateway itself checks `model` and `input`.",
    ),
    "EmbeddingList": obj(
        {
            "object": const("list"),
            "data": array(
                obj(
                    {
                        "object": const("embedding"),
                        "index": integer("The place of its text in `input`."),
                        "embedding": any_of(array(number()), string("Base64.")),
                    },
                    required="index embedding",
                )
            ),
            "model": string(),
            "usage": obj({"prompt_tokens": integer(), "total_tokens": integer()}),
        },
        required="data",
    ),
}

ROUTES = (
    Route(
        name="createEmbedding",
        path=f"/v1{EMBEDDINGS.path}",
        tag=TAG,
        summary="Turn texts into vectors",
        description="For models that make embeddings, at providers that speak this protocol or "
        "Gemini's.",
        request="EmbeddingRequest",
        examples={
            "Two texts": {
                "model": "my-openai:text-embedding-3-small",
                "input": ["A quick brown fox", "A lazy dog"],
                "encoding_format": "float",
            }
        },
        answer=Answer(
            "EmbeddingList",
            {
                "object": "list",
                "data": [
                    {"object": "embedding", "index": 0, "embedding": [0.0123, -0.0456, 0.0789]},
                    {"object": "embedding", "index": 1, "embedding": [0.0321, 0.0654, -0.0987]},
                ],
                "model": "text-embedding-3-small",
                "usage": {"prompt_tokens": 8, "total_tokens": 8},
            },
        ),
    ),
)
