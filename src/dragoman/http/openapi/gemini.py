"""Gemini: `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent` and
`:countTokens`.

Fields are those of the API reference as google-genai 3.6 has them. The name of the model stands
in the path, so a request's body has no required `model`.
"""

from __future__ import annotations

from typing import Any

from dragoman.http.openapi.route import Answer, Parameter, Route, Stream
from dragoman.http.openapi.schema import (
    Schema,
    array,
    boolean,
    enum,
    integer,
    nullable,
    number,
    obj,
    ref,
    string,
)
from dragoman.protocols import (
    GEMINI_COUNT_TOKENS,
    GENERATE_CONTENT,
    STREAM_GENERATE_CONTENT,
    ErrorShape,
)

TAG = "Gemini"

_REQUEST: dict[str, Schema] = {
    "GeminiPart": obj(
        {
            "text": string(),
            "thought": boolean("Whether `text` is thinking."),
            "thoughtSignature": string("Base64; send it back with its part, unchanged."),
            "inlineData": obj(
                {"mimeType": string(), "data": string("Base64.")}, required="mimeType data"
            ),
            "fileData": obj({"mimeType": string(), "fileUri": string()}, required="fileUri"),
            "functionCall": obj(
                {"id": string(), "name": string(), "args": nullable(obj())}, required="name"
            ),
            "functionResponse": obj(
                {"id": string(), "name": string(), "response": obj()}, required="name response"
            ),
            "executableCode": obj(),
            "codeExecutionResult": obj(),
        },
        description="One part of a message: exactly one of text, data, a call or a result.",
    ),
    "GeminiContent": obj(
        {
            "role": enum("user model", "Whose turn it is; `user` where it is left out."),
            "parts": array(ref("GeminiPart")),
        },
        description="One turn.",
    ),
    "GeminiFunction": obj(
        {
            "name": string(),
            "description": string("Tells the model when and how to use the function."),
            "parameters": obj(description="The arguments, in Gemini's dialect of JSON Schema."),
            "parametersJsonSchema": obj(description="The arguments, as JSON Schema proper."),
        },
        required="name",
    ),
    "GeminiTool": obj(
        {
            "functionDeclarations": array(ref("GeminiFunction")),
            "googleSearch": obj(),
            "urlContext": obj(),
            "codeExecution": obj(),
        },
        description="Functions of the caller's, or a tool that the provider runs.",
    ),
    "GeminiToolConfig": obj(
        {
            "functionCallingConfig": obj(
                {
                    "mode": enum("MODE_UNSPECIFIED AUTO ANY NONE VALIDATED"),
                    "allowedFunctionNames": array(string()),
                }
            )
        },
        description="Whether, and which, functions are called.",
    ),
    "GeminiGenerationConfig": obj(
        {
            "maxOutputTokens": integer("The most tokens to write, thinking included."),
            "temperature": number("Randomness; 0 is the steadiest."),
            "topP": number(),
            "topK": number(),
            "candidateCount": integer("How many answers to write."),
            "stopSequences": array(string(), "Texts at which the model stops writing."),
            "presencePenalty": number(),
            "frequencyPenalty": number(),
            "seed": integer(),
            "responseMimeType": string("`application/json` asks for JSON."),
            "responseSchema": obj(description="In Gemini's dialect of JSON Schema."),
            "responseJsonSchema": obj(description="As JSON Schema proper."),
            "responseModalities": array(string()),
            "responseLogprobs": boolean(),
            "logprobs": integer(),
            "thinkingConfig": obj(
                {
                    "includeThoughts": boolean("Shows the thinking."),
                    "thinkingBudget": integer("The most tokens of it; -1 lets the model choose."),
                    "thinkingLevel": enum(
                        "THINKING_LEVEL_UNSPECIFIED MINIMAL LOW MEDIUM HIGH XHIGH"
                    ),
                }
            ),
        }
    ),
    "GeminiRequest": obj(
        {
            "contents": array(ref("GeminiContent"), "The conversation, oldest turn first."),
            "systemInstruction": ref("GeminiContent", "What is told before everything else."),
            "tools": array(ref("GeminiTool")),
            "toolConfig": ref("GeminiToolConfig"),
            "generationConfig": ref("GeminiGenerationConfig"),
            "safetySettings": array(obj({"category": string(), "threshold": string()})),
            "cachedContent": string("A prompt that the provider keeps: `cachedContents/...`."),
            "labels": obj(),
            "serviceTier": string("The provider's speed and price class."),
        },
        required="contents",
        description="The gateway itself checks `contents`; the rest is for the provider to judge.",
    ),
    "GeminiTokensRequest": obj(
        {
            "contents": array(ref("GeminiContent")),
            "generateContentRequest": obj(
                {"model": string("`models/` and the model's name.")} | {"contents": array(obj())},
                description="A whole request instead of `contents`, so that instructions and "
                "tools are counted too.",
            ),
        },
        description="What to count.",
    ),
}

_ANSWER: dict[str, Schema] = {
    "GeminiUsage": obj(
        {
            "promptTokenCount": integer("Tokens read, those from the cache included."),
            "cachedContentTokenCount": integer(),
            "candidatesTokenCount": integer("Tokens written, without thinking."),
            "thoughtsTokenCount": integer("Tokens of thinking."),
            "toolUsePromptTokenCount": integer(),
            "totalTokenCount": integer(),
        }
    ),
    "GeminiCandidate": obj(
        {
            "index": integer(),
            "content": ref("GeminiContent"),
            "finishReason": string(
                "Why the model stopped: STOP, MAX_TOKENS, SAFETY, RECITATION, "
                "MALFORMED_FUNCTION_CALL ..."
            ),
            "finishMessage": string(),
            "safetyRatings": array(obj()),
            "citationMetadata": obj(),
            "groundingMetadata": obj(),
        }
    ),
    "GeminiAnswer": obj(
        {
            "candidates": array(ref("GeminiCandidate")),
            "promptFeedback": obj(
                {
                    "blockReason": string("Why the prompt was refused."),
                    "safetyRatings": array(obj()),
                }
            ),
            "usageMetadata": ref("GeminiUsage"),
            "modelVersion": string("The model that answered, as its provider calls it."),
            "responseId": string(),
        },
        description="A whole answer, or one event of a stream: its next piece. The last piece has "
        "a `finishReason`.",
    ),
    "GeminiTokens": obj(
        {"totalTokens": integer(), "cachedContentTokenCount": integer()}, required="totalTokens"
    ),
}

SCHEMAS: dict[str, Schema] = _REQUEST | _ANSWER

_USAGE = {"promptTokenCount": 8, "candidatesTokenCount": 2, "totalTokenCount": 10}
_QUESTION = [{"role": "user", "parts": [{"text": "What is the capital of France?"}]}]


def _answer(text: str, **finish: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": text}]}
    return {
        "candidates": [{"index": 0, "content": content} | finish],
        "usageMetadata": _USAGE,
        "modelVersion": "gemini-2.5-flash",
        "responseId": "mAcIaZ-4EaWBkdUP5sOfyAk",
    }


_MODEL = Parameter(
    "model",
    "path",
    "`provider:model` or an alias. A slash inside the name is written `%2F`, a colon may be "
    "written as it is.",
    string(minLength=1),
    "gemini:gemini-2.5-flash",
)
_ALT = Parameter("alt", "query", "`sse` asks for server-sent events.", enum("sse"), "sse")

ROUTES = (
    Route(
        name="generateContent",
        path=f"/v1beta{GENERATE_CONTENT.path}",
        tag=TAG,
        summary="Generate content",
        description="Answers a conversation. Any configured model can be asked, whatever protocol "
        "its provider speaks.",
        shape=ErrorShape.GEMINI,
        request="GeminiRequest",
        examples={
            "A question": {
                "systemInstruction": {"parts": [{"text": "Be brief."}]},
                "contents": _QUESTION,
                "generationConfig": {"maxOutputTokens": 256, "temperature": 0.2},
            },
            "A function": {
                "contents": [{"role": "user", "parts": [{"text": "Is it raining in Oslo?"}]}],
                "tools": [
                    {
                        "functionDeclarations": [
                            {
                                "name": "get_weather",
                                "parametersJsonSchema": {
                                    "type": "object",
                                    "properties": {"city": {"type": "string"}},
                                },
                            }
                        ]
                    }
                ],
            },
        },
        answer=Answer("GeminiAnswer", _answer("Paris.", finishReason="STOP")),
        parameters=(_MODEL,),
        by_provider=False,
    ),
    Route(
        name="streamGenerateContent",
        path=f"/v1beta{STREAM_GENERATE_CONTENT.path}",
        tag=TAG,
        summary="Generate content as a stream",
        description="The same as `generateContent`, sent piece by piece.",
        shape=ErrorShape.GEMINI,
        request="GeminiRequest",
        examples={"A question": {"contents": _QUESTION}},
        stream=Stream(
            "GeminiAnswer",
            "the caller asks for it by this path",
            (("", _answer("Paris")), ("", _answer(".", finishReason="STOP"))),
        ),
        parameters=(_MODEL, _ALT),
        by_provider=False,
    ),
    Route(
        name="countTokens",
        path=f"/v1beta{GEMINI_COUNT_TOKENS.path}",
        tag=TAG,
        summary="Count the tokens of contents",
        description="Counts without asking the model. Where the provider has no such operation "
        "the gateway counts by itself and says so: `x-dragoman-estimate: true`.",
        shape=ErrorShape.GEMINI,
        request="GeminiTokensRequest",
        examples={"A question": {"contents": _QUESTION}},
        answer=Answer("GeminiTokens", {"totalTokens": 8}),
        parameters=(_MODEL,),
        by_provider=False,
    ),
)
