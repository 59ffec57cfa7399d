"""The services that Dragoman knows: choosing one fills in everything but the key.

A row may set, drop or rename top-level keys of a request; it never lists what is allowed, so
that a field invented tomorrow goes through today. URLs stand as they are called: with their
version segment, or with a `#` where the service has none.

`evidence` says where a row comes from. "desktop clients" means that the row was gathered from
the built-in providers of public desktop AI clients in 2026 and not checked any further;
"not re-read" that the service's own documentation says so, as far as is known.

The order matters where several rows read the same environment variable: the first one wins.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from dragoman.errors import ConfigError
from dragoman.protocols import Protocol
from dragoman.providers.provider import Auth, BodyEdits
from dragoman.providers.types import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    GEMINI,
    MESSAGES,
    RESPONSES,
)

_CLIENTS = "desktop clients"
_NOT_RE_READ = "the service's documentation, not re-read for this row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One service.

    `base_url`, `example` and `base_urls` mean what they mean for a type. `protocols` and `auth`
    are the type's where None. `keys` are the environment variables that customarily hold its
    key; where `implied` is false such a variable usually serves other purposes too, so that it
    alone does not make a provider. `endpoint_variable` holds the address where that differs for
    each user. `models_url` is where its models are listed if not at `{base}/models`; `models`
    are those of a service that has no list.
    """

    id: str
    name: str
    type: str = "openai-compatible"
    base_url: str | None = None
    example: str = ""
    base_urls: Mapping[Protocol, str] = field(default_factory=lambda: MappingProxyType({}))
    protocols: frozenset[Protocol] | None = None
    auth: Auth | None = None
    keys: tuple[str, ...] = ()
    implied: bool = True
    endpoint_variable: str | None = None
    key_url: str = ""
    docs_url: str = ""
    models_url: str | None = None
    models: tuple[str, ...] = ()
    edits: Mapping[Protocol, BodyEdits] = field(default_factory=lambda: MappingProxyType({}))
    stream_usage: bool = True
    note: str = ""
    evidence: str = _CLIENTS


def find_preset(name: str) -> Preset:
    """The preset called `name`; raises ConfigError that names the nearest one."""
    found = PRESETS.get(name)
    if found is None:
        nearest = difflib.get_close_matches(name, PRESETS, n=1, cutoff=0.5)
        hint = f' Did you mean "{nearest[0]}"?' if nearest else ""
        raise ConfigError(
            f'There is no preset "{name}".{hint} `dragoman provider presets` lists them.'
        )
    return found


_SEVERAL = frozenset({CHAT, MESSAGES})
_LOCAL_ALL = frozenset({CHAT, RESPONSES, MESSAGES, EMBEDDINGS, COMPLETIONS})

_MISTRAL_CHAT = BodyEdits(
    rename=MappingProxyType({"max_completion_tokens": "max_tokens"}),
    drop=frozenset({"stream_options", "store"}),
)

_WIDELY_USED = (
    Preset(
        id="openai",
        name="OpenAI",
        type="openai",
        base_url="https://api.openai.com/v1",
        keys=("OPENAI_API_KEY",),
        key_url="https://platform.openai.com/api-keys",
        docs_url="https://platform.openai.com/docs/api-reference",
        evidence="OpenAI API reference",
    ),
    Preset(
        id="anthropic",
        name="Anthropic",
        type="anthropic",
        base_url="https://api.anthropic.com/v1",
        keys=("ANTHROPIC_API_KEY",),
        key_url="https://console.anthropic.com/settings/keys",
        docs_url="https://docs.anthropic.com/en/api",
        evidence="Anthropic API reference",
    ),
    Preset(
        id="gemini",
        name="Gemini",
        type="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        base_urls={EMBEDDINGS: "https://generativelanguage.googleapis.com/v1beta/openai"},
        keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        key_url="https://aistudio.google.com/app/apikey",
        docs_url="https://ai.google.dev/gemini-api/docs",
        evidence="Gemini API reference; google-genai SDK",
    ),
    Preset(
        id="azure-openai",
        name="Azure OpenAI",
        type="azure-openai",
        example="https://RESOURCE.openai.azure.com/openai/v1",
        keys=("AZURE_OPENAI_API_KEY",),
        endpoint_variable="AZURE_OPENAI_ENDPOINT",
        key_url="https://portal.azure.com/",
        docs_url="https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle",
        note="`api_version` with a date selects the older layout, a path per deployment.",
        evidence="Microsoft Learn, v1 API; openai SDK, azure.py",
    ),
    Preset(
        id="deepseek",
        name="DeepSeek",
        base_url="https://api.deepseek.com/v1",
        base_urls={MESSAGES: "https://api.deepseek.com/anthropic/v1"},
        protocols=frozenset({CHAT, RESPONSES, MESSAGES}),
        keys=("DEEPSEEK_API_KEY",),
        key_url="https://platform.deepseek.com/api_keys",
        docs_url="https://api-docs.deepseek.com/",
        note="On Messages, an unknown model name is answered by deepseek-v4-flash, not refused.",
        evidence="api-docs.deepseek.com, Anthropic API guide; Responses: desktop clients",
    ),
    Preset(
        id="openrouter",
        name="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        protocols=frozenset({CHAT, RESPONSES, MESSAGES, EMBEDDINGS, COMPLETIONS}),
        keys=("OPENROUTER_API_KEY",),
        key_url="https://openrouter.ai/settings/keys",
        docs_url="https://openrouter.ai/docs",
        evidence="openrouter.ai/docs (Responses), clients on docs.rs (Messages, embeddings)",
    ),
    Preset(
        id="groq",
        name="Groq",
        base_url="https://api.groq.com/openai/v1",
        protocols=frozenset({CHAT, RESPONSES}),
        keys=("GROQ_API_KEY",),
        key_url="https://console.groq.com/keys",
        docs_url="https://console.groq.com/docs/api-reference",
        evidence="console.groq.com/docs/openai; it has no text completions",
    ),
    Preset(
        id="mistral",
        name="Mistral",
        base_url="https://api.mistral.ai/v1",
        protocols=frozenset({CHAT, EMBEDDINGS}),
        keys=("MISTRAL_API_KEY",),
        key_url="https://console.mistral.ai/api-keys/",
        docs_url="https://docs.mistral.ai/api/",
        edits={CHAT: _MISTRAL_CHAT},
        stream_usage=False,
        note="Refuses keys that it does not know with 422; usage comes in streams unasked.",
        evidence=(
            "max_completion_tokens, store: eca#231, openclaude#739; stream_options: "
            "openai-agents-python#442; desktop clients"
        ),
    ),
    Preset(
        id="xai",
        name="xAI",
        base_url="https://api.x.ai/v1",
        protocols=frozenset({CHAT, RESPONSES, COMPLETIONS}),
        keys=("XAI_API_KEY",),
        key_url="https://console.x.ai/",
        docs_url="https://docs.x.ai/",
        evidence="docs.x.ai; its Messages endpoint is deprecated and so not listed",
    ),
    Preset(
        id="grok",
        name="Grok",
        base_url="https://api.x.ai/v1",
        protocols=frozenset({CHAT, RESPONSES, COMPLETIONS}),
        keys=("XAI_API_KEY",),
        key_url="https://console.x.ai/",
        docs_url="https://docs.x.ai/",
        note="The same service as `xai`.",
        evidence="as xai",
    ),
    Preset(
        id="together",
        name="Together",
        base_url="https://api.together.ai/v1",
        keys=("TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"),
        key_url="https://api.together.ai/settings/api-keys",
        docs_url="https://docs.together.ai/",
        note="Lists its models as a bare array.",
        evidence="developersdigest.tech, API compatibility (read from Together's documentation)",
    ),
    Preset(
        id="fireworks",
        name="Fireworks",
        base_url="https://api.fireworks.ai/inference/v1",
        protocols=frozenset({CHAT, RESPONSES, MESSAGES, EMBEDDINGS, COMPLETIONS}),
        keys=("FIREWORKS_API_KEY",),
        key_url="https://fireworks.ai/account/api-keys",
        docs_url="https://docs.fireworks.ai/",
        evidence="any-llm (base URL, key); docs.fireworks.ai, Anthropic compatibility",
    ),
    Preset(
        id="cerebras",
        name="Cerebras AI",
        base_url="https://api.cerebras.ai/v1",
        protocols=frozenset({CHAT, COMPLETIONS}),
        keys=("CEREBRAS_API_KEY",),
        key_url="https://cloud.cerebras.ai/",
        docs_url="https://inference-docs.cerebras.ai/",
        evidence="any-llm (key); desktop clients",
    ),
    Preset(
        id="perplexity",
        name="Perplexity",
        base_url="https://api.perplexity.ai#",
        protocols=frozenset({CHAT}),
        keys=("PERPLEXITY_API_KEY",),
        key_url="https://www.perplexity.ai/settings/api",
        docs_url="https://docs.perplexity.ai/",
        models=("sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research"),
        note="Has no version segment and no list of models.",
        evidence="docs.perplexity.ai, OpenAI compatibility; any-llm (no list)",
    ),
    Preset(
        id="cohere",
        name="Cohere",
        base_url="https://api.cohere.ai/compatibility/v1",
        protocols=frozenset({CHAT, EMBEDDINGS}),
        keys=("COHERE_API_KEY", "CO_API_KEY"),
        key_url="https://dashboard.cohere.com/api-keys",
        docs_url="https://docs.cohere.com/docs/compatibility-api",
        models_url="https://api.cohere.com/v1/models?page_size=1000",
        edits={CHAT: BodyEdits(drop=frozenset({"stream_options"}))},
        stream_usage=False,
        note="Refuses `stream_options`.",
        evidence="docs.cohere.com, Compatibility API; stream_options: strandsagents.com, Cohere",
    ),
    Preset(
        id="nvidia",
        name="NVIDIA",
        base_url="https://integrate.api.nvidia.com/v1",
        keys=("NVIDIA_API_KEY",),
        key_url="https://build.nvidia.com/",
        docs_url="https://docs.api.nvidia.com/nim/reference/llm-apis",
    ),
    Preset(
        id="huggingface",
        name="Hugging Face",
        base_url="https://router.huggingface.co/v1",
        protocols=frozenset({CHAT, RESPONSES, MESSAGES}),
        keys=("HF_TOKEN",),
        implied=False,
        key_url="https://huggingface.co/settings/tokens",
        docs_url="https://huggingface.co/docs/inference-providers",
        evidence="any-llm (key); desktop clients (Responses, Messages)",
    ),
    Preset(
        id="github",
        name="GitHub Models",
        base_url="https://models.github.ai/inference#",
        protocols=frozenset({CHAT, EMBEDDINGS}),
        keys=("GITHUB_TOKEN",),
        implied=False,
        key_url="https://github.com/settings/tokens",
        docs_url="https://docs.github.com/en/rest/models",
        models_url="https://models.github.ai/catalog/models",
        note="The token needs the permission `models: read`. Lists models as a bare array.",
        evidence="GitHub REST API, models/inference, models/embeddings and models/catalog",
    ),
    Preset(
        id="copilot",
        name="GitHub Copilot",
        base_url="https://api.githubcopilot.com#",
        protocols=frozenset({CHAT, EMBEDDINGS}),
        docs_url="https://github.com/features/copilot",
        note="Wants a Copilot token and the headers of an editor; give them in `headers`.",
    ),
    Preset(
        id="gateway",
        name="Vercel AI Gateway",
        base_url="https://ai-gateway.vercel.sh/v1",
        protocols=frozenset({CHAT, RESPONSES, MESSAGES, EMBEDDINGS}),
        keys=("AI_GATEWAY_API_KEY",),
        key_url="https://vercel.com/docs/ai-gateway/authentication",
        docs_url="https://vercel.com/docs/ai-gateway/sdks-and-apis",
        note="`/v1/ai`, which desktop clients name, is the AI SDK's own protocol.",
        evidence="vercel.com/docs/ai-gateway, anthropic-compat and openai-compat",
    ),
    Preset(
        id="aws-bedrock",
        name="AWS Bedrock",
        example="https://bedrock-mantle.us-east-1.api.aws/v1",
        base_urls={MESSAGES: "https://bedrock-mantle.us-east-1.api.aws/anthropic/v1"},
        protocols=frozenset({CHAT, RESPONSES, MESSAGES}),
        keys=("AWS_BEARER_TOKEN_BEDROCK",),
        key_url="https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
        docs_url="https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html",
        note="The bedrock-mantle endpoint of your region, with a Bedrock API key.",
        evidence="AWS user guide, bedrock-mantle; anthropic SDK, bedrock/_mantle.py",
    ),
    Preset(
        id="vertexai",
        name="Vertex AI",
        type="gemini",
        base_url="https://aiplatform.googleapis.com/v1/publishers/google#",
        protocols=frozenset({GEMINI}),
        key_url="https://console.cloud.google.com/apis/credentials",
        docs_url="https://cloud.google.com/vertex-ai/generative-ai/docs",
        note="With an API key (express mode). It has no list that takes a key: give `models`.",
        evidence="google-genai SDK, Vertex mode with an API key",
    ),
    Preset(
        id="databricks",
        name="Databricks",
        example="https://WORKSPACE.cloud.databricks.com/serving-endpoints#",
        protocols=frozenset({CHAT, EMBEDDINGS, COMPLETIONS}),
        keys=("DATABRICKS_TOKEN",),
        implied=False,
        docs_url="https://docs.databricks.com/aws/en/machine-learning/model-serving/",
        note="Has no list of models in OpenAI's shape: give `models`.",
        evidence="any-llm (key, no list); the rest not re-read",
    ),
    Preset(
        id="cloudflare",
        name="Cloudflare Workers AI",
        example="https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1",
        protocols=frozenset({CHAT, RESPONSES, EMBEDDINGS}),
        keys=("CLOUDFLARE_API_TOKEN",),
        implied=False,
        key_url="https://dash.cloudflare.com/profile/api-tokens",
        docs_url="https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
        note="Has no list of models in OpenAI's shape: give `models`.",
        evidence=_NOT_RE_READ,
    ),
    Preset(
        id="deepinfra",
        name="DeepInfra",
        base_url="https://api.deepinfra.com/v1/openai",
        keys=("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
        key_url="https://deepinfra.com/dash/api_keys",
        docs_url="https://deepinfra.com/docs/openai_api",
        evidence="any-llm (base URL, key)",
    ),
    Preset(
        id="sambanova",
        name="SambaNova",
        base_url="https://api.sambanova.ai/v1",
        keys=("SAMBANOVA_API_KEY",),
        key_url="https://cloud.sambanova.ai/apis",
        docs_url="https://docs.sambanova.ai/",
        evidence="any-llm (base URL, key)",
    ),
    Preset(
        id="nebius",
        name="Nebius",
        base_url="https://api.studio.nebius.ai/v1",
        keys=("NEBIUS_API_KEY",),
        key_url="https://studio.nebius.com/settings/api-keys",
        docs_url="https://docs.studio.nebius.com/",
        evidence="any-llm (base URL, key)",
    ),
    Preset(
        id="novita",
        name="Novita",
        base_url="https://api.novita.ai/v3/openai",
        keys=("NOVITA_API_KEY",),
        key_url="https://novita.ai/settings/key-management",
        docs_url="https://novita.ai/docs",
        evidence=_NOT_RE_READ,
    ),
    Preset(
        id="venice",
        name="Venice",
        base_url="https://api.venice.ai/api/v1",
        protocols=frozenset({CHAT, EMBEDDINGS}),
        keys=("VENICE_API_KEY",),
        key_url="https://venice.ai/settings/api",
        docs_url="https://docs.venice.ai/",
        evidence=_NOT_RE_READ,
    ),
    Preset(
        id="requesty",
        name="Requesty",
        base_url="https://router.requesty.ai/v1",
        protocols=frozenset({CHAT, MESSAGES, EMBEDDINGS}),
        keys=("REQUESTY_API_KEY",),
        key_url="https://app.requesty.ai/api-keys",
        docs_url="https://docs.requesty.ai/",
        evidence="any-llm (base URL, key); Messages and embeddings not re-read",
    ),
    Preset(
        id="chutes",
        name="Chutes",
        base_url="https://llm.chutes.ai/v1",
        keys=("CHUTES_API_KEY",),
        key_url="https://chutes.ai/app/api",
        docs_url="https://chutes.ai/docs",
        evidence=_NOT_RE_READ,
    ),
    Preset(
        id="poe",
        name="Poe",
        base_url="https://api.poe.com/v1",
        protocols=frozenset({CHAT, RESPONSES, MESSAGES}),
        keys=("POE_API_KEY",),
        key_url="https://poe.com/api/keys",
        docs_url="https://creator.poe.com/docs",
        note="Does not take the role `developer`.",
    ),
    Preset(
        id="hyperbolic",
        name="Hyperbolic",
        base_url="https://api.hyperbolic.xyz/v1",
        keys=("HYPERBOLIC_API_KEY",),
        docs_url="https://docs.hyperbolic.xyz/",
    ),
    Preset(
        id="jina",
        name="Jina",
        base_url="https://api.jina.ai/v1",
        base_urls={CHAT: "https://deepsearch.jina.ai/v1"},
        protocols=frozenset({CHAT, EMBEDDINGS}),
        keys=("JINA_API_KEY",),
        key_url="https://jina.ai/",
        docs_url="https://api.jina.ai/scalar",
        note="Embeddings; chat is the DeepSearch model on a host of its own.",
        evidence=_NOT_RE_READ,
    ),
    Preset(
        id="voyageai",
        name="Voyage AI",
        base_url="https://api.voyageai.com/v1",
        protocols=frozenset({EMBEDDINGS}),
        keys=("VOYAGE_API_KEY",),
        key_url="https://dashboard.voyageai.com/organization/api-keys",
        docs_url="https://docs.voyageai.com/docs",
        models=("voyage-3.5", "voyage-3.5-lite", "voyage-3-large", "voyage-code-3"),
        edits={EMBEDDINGS: BodyEdits(rename=MappingProxyType({"dimensions": "output_dimension"}))},
        note="Embeddings only, and no list of models.",
        evidence="langchain and ai-sdk providers (base URL, output_dimension, models)",
    ),
    Preset(
        id="opencode",
        name="OpenCode Go",
        base_url="https://opencode.ai/zen/go/v1",
        protocols=frozenset({CHAT, RESPONSES, MESSAGES}),
        keys=("OPENCODE_API_KEY",),
        key_url="https://opencode.ai/auth",
        docs_url="https://opencode.ai/docs/go/",
    ),
)

_IN_CHINA = (
    Preset(
        id="moonshot",
        name="Moonshot AI",
        base_url="https://api.moonshot.cn/v1",
        base_urls={MESSAGES: "https://api.moonshot.cn/anthropic/v1"},
        protocols=_SEVERAL,
        keys=("MOONSHOT_API_KEY",),
        key_url="https://platform.moonshot.cn/console/api-keys",
        docs_url="https://platform.moonshot.cn/docs/",
        note='Keys of the international platform want base_url = "https://api.moonshot.ai/v1".',
        evidence="desktop clients; any-llm (international host)",
    ),
    Preset(
        id="minimax-global",
        name="MiniMax (global)",
        base_url="https://api.minimax.io/v1",
        base_urls={MESSAGES: "https://api.minimax.io/anthropic/v1"},
        protocols=frozenset({CHAT, RESPONSES, MESSAGES}),
        keys=("MINIMAX_API_KEY",),
        key_url="https://platform.minimax.io/user-center/basic-information/interface-key",
        docs_url="https://platform.minimax.io/docs/api-reference/text-openai-api",
        evidence="any-llm (base URL, key); developersdigest.tech, API compatibility (protocols)",
    ),
    Preset(
        id="minimax",
        name="MiniMax",
        base_url="https://api.minimaxi.com/v1",
        base_urls={MESSAGES: "https://api.minimaxi.com/anthropic/v1"},
        protocols=frozenset({CHAT, RESPONSES, MESSAGES}),
        keys=("MINIMAX_API_KEY",),
        key_url="https://platform.minimaxi.com/user-center/basic-information/interface-key",
        docs_url="https://platform.minimaxi.com/docs/api-reference/text-openai-api",
    ),
    Preset(
        id="zai",
        name="Z.ai",
        base_url="https://api.z.ai/api/paas/v4",
        base_urls={MESSAGES: "https://api.z.ai/api/anthropic/v1"},
        protocols=_SEVERAL,
        keys=("ZAI_API_KEY",),
        key_url="https://z.ai/manage-apikey/apikey-list",
        docs_url="https://docs.z.ai/",
        evidence="any-llm (base URL, key); desktop clients",
    ),
    Preset(
        id="zhipu",
        name="ZhiPu",
        base_url="https://open.bigmodel.cn/api/paas/v4",
        base_urls={MESSAGES: "https://open.bigmodel.cn/api/anthropic/v1"},
        protocols=frozenset({CHAT, MESSAGES, EMBEDDINGS}),
        keys=("ZHIPU_API_KEY", "ZHIPUAI_API_KEY"),
        key_url="https://open.bigmodel.cn/apikey/platform",
        docs_url="https://docs.bigmodel.cn/",
    ),
    Preset(
        id="dashscope",
        name="Bailian (DashScope)",
        base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
        base_urls={MESSAGES: "https://dashscope.aliyuncs.com/apps/anthropic/v1"},
        protocols=frozenset({CHAT, RESPONSES, MESSAGES, EMBEDDINGS}),
        keys=("DASHSCOPE_API_KEY",),
        key_url="https://bailian.console.aliyun.com/?tab=model#/api-key",
        docs_url="https://help.aliyun.com/zh/model-studio/",
        note='International keys: base_url = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1".',
        evidence="any-llm (base URL, key, embeddings); desktop clients",
    ),
    Preset(
        id="doubao",
        name="Doubao (Volcengine Ark)",
        base_url="https://ark.cn-beijing.volces.com/api/v3",
        protocols=frozenset({CHAT, RESPONSES, EMBEDDINGS}),
        keys=("ARK_API_KEY",),
        key_url="https://www.volcengine.com/experience/ark",
        docs_url="https://www.volcengine.com/docs/82379",
    ),
    Preset(
        id="silicon",
        name="SiliconFlow",
        base_url="https://api.siliconflow.cn/v1",
        protocols=frozenset({CHAT, MESSAGES, EMBEDDINGS}),
        keys=("SILICONFLOW_API_KEY",),
        key_url="https://cloud.siliconflow.cn/account/ak",
        docs_url="https://docs.siliconflow.cn/",
    ),
    Preset(
        id="modelscope",
        name="ModelScope",
        base_url="https://api-inference.modelscope.cn/v1",
        protocols=_SEVERAL,
        keys=("MODELSCOPE_API_KEY",),
        key_url="https://modelscope.cn/my/myaccesstoken",
        docs_url="https://modelscope.cn/docs/model-service/API-Inference/intro",
    ),
    Preset(
        id="baidu-cloud",
        name="Baidu Cloud (Qianfan)",
        base_url="https://qianfan.baidubce.com/v2",
        protocols=frozenset({CHAT, EMBEDDINGS}),
        keys=("QIANFAN_API_KEY",),
        key_url="https://console.bce.baidu.com/iam/#/iam/apikey/list",
        docs_url="https://cloud.baidu.com/doc/",
    ),
    Preset(
        id="hunyuan",
        name="Hunyuan",
        base_url="https://api.hunyuan.cloud.tencent.com/v1",
        protocols=frozenset({CHAT, EMBEDDINGS}),
        keys=("HUNYUAN_API_KEY",),
        docs_url="https://cloud.tencent.com/document/product/1729",
    ),
    Preset(
        id="tencent-cloud-ti",
        name="Tencent Cloud TI",
        base_url="https://api.lkeap.cloud.tencent.com/v1",
        protocols=frozenset({CHAT}),
        docs_url="https://cloud.tencent.com/document/product/1772",
    ),
    Preset(
        id="tokenhub",
        name="TokenHub",
        base_url="https://tokenhub.tencentmaas.com/v1",
        protocols=frozenset({CHAT, RESPONSES, MESSAGES}),
        key_url="https://console.cloud.tencent.com/tokenhub/apikey",
        docs_url="https://cloud.tencent.com/document/product/1823",
    ),
    Preset(
        id="stepfun",
        name="StepFun",
        base_url="https://api.stepfun.com/v1",
        protocols=_SEVERAL,
        keys=("STEPFUN_API_KEY", "STEP_API_KEY"),
        key_url="https://platform.stepfun.com/interface-key",
        docs_url="https://platform.stepfun.com/docs/",
    ),
    Preset(
        id="mimo",
        name="Xiaomi MiMo",
        base_url="https://api.xiaomimimo.com/v1",
        base_urls={MESSAGES: "https://api.xiaomimimo.com/anthropic/v1"},
        protocols=frozenset({CHAT, RESPONSES, MESSAGES}),
        keys=("MIMO_API_KEY",),
        key_url="https://platform.xiaomimimo.com/",
        docs_url="https://mimo.mi.com/docs/",
    ),
    Preset(
        id="longcat",
        name="LongCat",
        base_url="https://api.longcat.chat/openai/v1",
        base_urls={MESSAGES: "https://api.longcat.chat/anthropic/v1"},
        protocols=_SEVERAL,
        keys=("LONGCAT_API_KEY",),
        key_url="https://longcat.chat/platform/api_keys",
        docs_url="https://longcat.chat/platform/docs/",
    ),
    Preset(
        id="baichuan",
        name="Baichuan AI",
        base_url="https://api.baichuan-ai.com/v1",
        keys=("BAICHUAN_API_KEY",),
        key_url="https://platform.baichuan-ai.com/console/apikey",
        docs_url="https://platform.baichuan-ai.com/docs",
    ),
    Preset(
        id="yi",
        name="Yi",
        base_url="https://api.lingyiwanwu.com/v1",
        keys=("YI_API_KEY",),
        docs_url="https://platform.lingyiwanwu.com/docs",
    ),
    Preset(
        id="infini",
        name="Infini",
        base_url="https://cloud.infini-ai.com/maas/v1",
        keys=("INFINI_API_KEY",),
        docs_url="https://docs.infini-ai.com/",
    ),
    Preset(
        id="qiniu",
        name="Qiniu",
        base_url="https://api.qnaigc.com/v1",
        protocols=frozenset({CHAT, MESSAGES, EMBEDDINGS}),
        keys=("QINIU_API_KEY",),
        key_url="https://portal.qiniu.com/ai-inference/api-key",
        docs_url="https://developer.qiniu.com/aitokenapi",
        note="Does not take the role `developer`.",
        evidence="any-llm (base URL, key, embeddings); desktop clients",
    ),
    Preset(
        id="ppio",
        name="PPIO",
        base_url="https://api.ppinfra.com/v3/openai",
        keys=("PPIO_API_KEY",),
        key_url="https://ppio.com/settings/key-management",
        docs_url="https://ppio.com/docs",
    ),
    Preset(
        id="alayanew",
        name="AlayaNew",
        base_url="https://deepseek.alayanew.com/v1",
        key_url="https://www.alayanew.com/",
        docs_url="https://docs.alayanew.com/docs/modelService/interview",
    ),
    Preset(
        id="lanyun",
        name="LANYUN",
        base_url="https://maas-api.lanyun.net/v1",
        key_url="https://maas.lanyun.net/#/system/apiKey",
        docs_url="https://archive.lanyun.net/#/maas/",
    ),
    Preset(
        id="sophnet",
        name="SophNet",
        base_url="https://www.sophnet.com/api/open-apis/v1",
        key_url="https://sophnet.com/#/project/key",
        docs_url="https://sophnet.com/docs/component/introduce.html",
    ),
    Preset(
        id="xirang",
        name="Xirang",
        base_url="https://wishub-x1.ctyun.cn/v1",
        key_url="https://huiju.ctyun.cn/service/serviceGroup",
        docs_url="https://www.ctyun.cn/products/ctxirang",
    ),
    Preset(
        id="radeon-cloud",
        name="AMD GPU Cloud",
        base_url="https://developer.amd.com.cn/radeon/v1",
        key_url="https://developer.amd.com.cn/radeon/tokenfactory",
        docs_url="https://developer.amd.com.cn/radeon/",
    ),
)

_RESELLERS = (
    Preset(
        id="302ai",
        name="302.AI",
        base_url="https://api.302.ai/v1",
        protocols=frozenset({CHAT, MESSAGES, EMBEDDINGS}),
        key_url="https://dash.302.ai/apis/list",
        docs_url="https://302ai.apifox.cn/api-147522039",
    ),
    Preset(
        id="aihubmix",
        name="AiHubMix",
        base_url="https://aihubmix.com/v1",
        base_urls={GEMINI: "https://aihubmix.com/gemini/v1beta"},
        protocols=frozenset({CHAT, RESPONSES, MESSAGES, GEMINI, EMBEDDINGS}),
        keys=("AIHUBMIX_API_KEY",),
        key_url="https://aihubmix.com/token",
        docs_url="https://docs.aihubmix.com/",
    ),
    Preset(
        id="aionly",
        name="AIOnly",
        base_url="https://api.aiionly.com/v1",
        key_url="https://maas.aiionly.com/keyApi",
        docs_url="https://maas.aiionly.com/document",
    ),
    Preset(
        id="burncloud",
        name="BurnCloud",
        base_url="https://ai.burncloud.com/v1",
        key_url="https://ai.burncloud.com/token",
        docs_url="https://ai.burncloud.com/docs",
    ),
    Preset(
        id="dmxapi",
        name="DMXAPI",
        base_url="https://www.dmxapi.cn/v1",
        base_urls={GEMINI: "https://www.dmxapi.cn/v1beta"},
        protocols=frozenset({CHAT, MESSAGES, GEMINI, EMBEDDINGS}),
        keys=("DMXAPI_API_KEY",),
        key_url="https://www.dmxapi.cn/token",
        docs_url="https://doc.dmxapi.cn/",
    ),
    Preset(
        id="ocoolai",
        name="ocoolAI",
        base_url="https://api.ocoolai.com/v1",
        key_url="https://one.ocoolai.com/token",
        docs_url="https://docs.ocoolai.com/",
    ),
    Preset(
        id="ph8",
        name="PH8",
        base_url="https://ph8.co/v1",
        key_url="https://ph8.co/apiKey",
    ),
    Preset(
        id="tokenflux",
        name="TokenFlux",
        base_url="https://api.tokenflux.ai/openai/v1",
        base_urls={MESSAGES: "https://api.tokenflux.ai/anthropic/v1"},
        protocols=_SEVERAL,
        keys=("TOKENFLUX_API_KEY",),
    ),
)

_SELF_HOSTED = (
    Preset(
        id="ollama",
        name="Ollama",
        type="ollama",
        base_url="http://localhost:11434/v1",
        docs_url="https://github.com/ollama/ollama/tree/main/docs",
        evidence=_NOT_RE_READ,
    ),
    Preset(
        id="lmstudio",
        name="LM Studio",
        base_url="http://localhost:1234/v1",
        protocols=_LOCAL_ALL,
        auth=Auth.NONE,
        docs_url="https://lmstudio.ai/docs",
        evidence=_NOT_RE_READ,
    ),
    Preset(
        id="llama.cpp",
        name="llama.cpp server",
        base_url="http://localhost:8080/v1",
        protocols=_LOCAL_ALL,
        auth=Auth.NONE,
        docs_url="https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
        note="Its Responses stream lacks the output indexes.",
        evidence="llama.cpp, tools/server/README.md (Messages: commit aa6192d)",
    ),
    Preset(
        id="vllm",
        name="vLLM",
        base_url="http://localhost:8000/v1",
        protocols=_LOCAL_ALL,
        auth=Auth.NONE,
        docs_url="https://docs.vllm.ai/",
        evidence=_NOT_RE_READ,
    ),
    Preset(
        id="sglang",
        name="SGLang",
        base_url="http://localhost:30000/v1",
        protocols=frozenset({CHAT, MESSAGES, EMBEDDINGS, COMPLETIONS}),
        auth=Auth.NONE,
        docs_url="https://docs.sglang.ai/",
        evidence="Messages: sglang#39782; the rest not re-read",
    ),
    Preset(
        id="ovms",
        name="OpenVINO Model Server",
        base_url="http://localhost:8000/v3",
        auth=Auth.NONE,
        docs_url="https://docs.openvino.ai/2025/model-server/ovms_what_is_openvino_model_server.html",
    ),
    Preset(
        id="gpustack",
        name="GPUStack",
        example="http://GPUSTACK_HOST/v1",
        auth=Auth.NONE,
        docs_url="https://docs.gpustack.ai/latest/",
    ),
    Preset(
        id="new-api",
        name="New API",
        type="new-api",
        base_url="http://localhost:3000/v1",
        base_urls={GEMINI: "http://localhost:3000/v1beta"},
        docs_url="https://docs.newapi.pro/",
        note="Says for each of its models which protocols it has.",
        evidence="new-api, constant/endpoint_type.go",
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {row.id: row for row in (*_WIDELY_USED, *_IN_CHINA, *_RESELLERS, *_SELF_HOSTED)}
)
