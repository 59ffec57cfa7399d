"""http.admin.masks: what is shown hides every secret, and comes back as what it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dragoman.http.admin.masks import mask_spec, unmask_spec
from dragoman.providers.spec import ProviderSpec

# The prefix keeps Hypothesis from drawing a word of the spec itself, such as `connect_s`.
secrets = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=8, max_size=60).map(
    lambda text: f"sk-{text}"
)
specs = st.builds(
    ProviderSpec,
    id=st.just("p"),
    type=st.just("openai-compatible"),
    base_url=st.just("http://127.0.0.1:9"),
    api_key=st.none() | secrets,
    api_keys=st.lists(secrets, max_size=4),
    headers=st.dictionaries(st.sampled_from(["x-a", "x-b", "x-c"]), secrets),
    proxy=st.none() | secrets.map(lambda secret: f"http://me:{secret}@127.0.0.1:3128"),
    set=st.dictionaries(st.just("api_key"), secrets),
)


def _secrets(spec: ProviderSpec) -> list[str]:
    found = [*spec.api_keys, *spec.headers.values(), *map(str, spec.set.values())]
    if spec.api_key:
        found.append(spec.api_key)
    if spec.proxy:
        found.append(spec.proxy.removeprefix("http://me:").partition("@")[0])
    return found


@given(specs)
def test_no_secret_is_shown(spec: ProviderSpec) -> None:
    shown = mask_spec(spec).model_dump_json(exclude={"id", "type", "base_url"})
    for secret in _secrets(spec):
        assert f'"{secret}"' not in shown
        assert f":{secret}@" not in shown


@given(specs)
def test_what_is_shown_can_be_sent_back(spec: ProviderSpec) -> None:
    assert unmask_spec(mask_spec(spec), spec) == spec


@given(specs, specs)
def test_what_is_new_stays(new: ProviderSpec, stored: ProviderSpec) -> None:
    assert unmask_spec(new, stored) == new


@given(specs, secrets)
def test_a_key_can_be_put_before_those_that_are_kept(spec: ProviderSpec, key: str) -> None:
    shown = mask_spec(spec)
    sent = shown.model_copy(update={"api_keys": [key, *shown.api_keys]})
    assert unmask_spec(sent, spec).api_keys == [key, *spec.api_keys]


def test_a_mask_of_nothing_stays_a_mask() -> None:
    stored = ProviderSpec(id="p", api_keys=["sk-0123456789abcdefghijklmnop"])
    sent = stored.model_copy(update={"api_keys": ["zz-9…zzzz"], "headers": {"x-a": "…"}})
    assert unmask_spec(sent, stored) == sent
