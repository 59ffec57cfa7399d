from __future__ import annotations

import asyncio
import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.allowance import read_allowance
from dragoman.errors import ConfigError, Conflict, InvalidApiKey, InvalidRequest, NotFound
from dragoman.keys import GatewayKey, KeyRing, KeyService, Pin, Scope
from dragoman.secrets import SecretBox
from dragoman.store.store import Store

BOX = SecretBox(bytes(32), "the test's key")
PIN = Pin("a-pinned-key-of-the-owner", "DRAGOMAN_API_KEY")
ADMIN_PIN = Pin("an-admin-key-of-the-owner", "DRAGOMAN_ADMIN_KEY")


class Clock:
    now = 1_000_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(tmp_path):
    store = await Store.open(tmp_path / "dragoman.db", BOX)
    yield store.keys
    await store.aclose()


@pytest.fixture
async def service(store, clock):
    return await KeyService.open(store, BOX, clock=clock)


def key(**terms):
    terms = {"id": "key_1", "name": "laptop", "scopes": frozenset({Scope.INFERENCE}), **terms}
    return GatewayKey(**{"hint": "…", **terms})


def refused(ring, credential):
    with pytest.raises(InvalidApiKey) as caught:
        ring.authenticate(credential)
    assert not credential or credential not in caught.value.message
    return caught.value.message


class TestAllows:
    def test_without_patterns_every_model(self):
        assert key().allows("openai:gpt-4")

    @pytest.mark.parametrize(
        ("name", "allowed"),
        [
            ("anthropic:claude-opus-4-5", True),
            ("anthropic:", True),
            ("my-openai:gpt-4", True),
            ("my-openai:gpt-4o", False),
            ("xanthropic:claude", False),
            ("Anthropic:claude", False),
            ("openrouter:anthropic:claude", False),
            ("anthropic:a\nb", True),
            ("", False),
        ],
    )
    def test_with_patterns_only_those(self, name, allowed):
        assert key(models=("anthropic:*", "my-openai:gpt-4")).allows(name) is allowed

    def test_a_dot_is_a_dot(self):
        assert not key(models=("a:gpt-4.1",)).allows("a:gpt-4x1")

    @given(st.lists(st.text("ab:*?[].", max_size=6), max_size=3), st.text("ab:.", max_size=6))
    def test_agrees_with_fnmatch(self, globs, name):
        expected = not globs or any(fnmatchcase(name, glob) for glob in globs)
        assert key(models=tuple(globs)).allows(name) is expected


class TestKeyRing:
    RING = KeyRing(
        {
            BOX.digest("good-key-good-key"): key(),
            BOX.digest("late-key-late-key"): key(id="key_2", name="old", expires_at=500),
            BOX.digest("dead-key-dead-key"): key(id="key_3", name="lost", revoked_at=1),
        },
        BOX.digest,
        clock=lambda: 499,
    )

    def test_a_live_key_opens(self):
        assert self.RING.authenticate("good-key-good-key").id == "key_1"

    def test_each_refusal_has_its_own_words(self):
        late = KeyRing({BOX.digest("late"): key(expires_at=500)}, BOX.digest, clock=lambda: 500)
        messages = [
            refused(self.RING, None),
            refused(self.RING, "not-a-key-of-ours"),
            refused(self.RING, "dead-key-dead-key"),
            refused(late, "late"),
        ]
        patterns = ["No API key", "not one of this gateway's", "'lost' was revoked", "has expired"]
        for message, pattern in zip(messages, patterns, strict=True):
            assert re.search(pattern, message)
        assert refused(self.RING, "") == messages[0]

    def test_a_key_works_until_its_very_end(self):
        assert self.RING.authenticate("late-key-late-key").id == "key_2"

    @given(st.sets(st.text("ab-", min_size=1, max_size=4)), st.text("ab-", min_size=1, max_size=4))
    def test_exactly_the_keys_on_it_open(self, secrets, credential):
        ring = KeyRing({BOX.digest(each): key(id=each) for each in secrets}, BOX.digest)
        if credential in secrets:
            assert ring.authenticate(credential).id == credential
        else:
            with pytest.raises(InvalidApiKey):
                ring.authenticate(credential)

    @pytest.mark.parametrize("credential", ["\udcff", "é" * 10, "\0", "x" * 100_000])
    def test_strange_credentials_are_just_unknown(self, credential):
        assert "not one of" in refused(self.RING, credential)

    def test_lists_dead_keys_too(self):
        assert [each.id for each in self.RING] == ["key_1", "key_2", "key_3"]


class TestDefaultKey:
    async def test_is_made_on_the_first_start_and_kept(self, store, service):
        again = await KeyService.open(store, BOX)
        assert (service.made_default, again.made_default) == (True, False)
        secret = await service.show_default()
        assert re.fullmatch(r"sk-dragoman-[A-Za-z0-9_-]{43}", secret)
        assert await again.show_default() == secret
        default = again.authenticate(secret)
        assert (default.id, default.name) == ("default", "default")
        assert default.scopes == {Scope.INFERENCE}
        assert default.hint not in {secret, ""}

    async def test_several_first_starts_agree(self, store):
        services = await asyncio.gather(*(KeyService.open(store, BOX) for _ in range(4)))
        assert len({await service.show_default() for service in services}) == 1
        assert sum(service.made_default for service in services) == 1

    async def test_is_stored_as_digest_and_sealed_copy_only(self, store, service):
        secret = await service.show_default()
        assert secret not in repr([vars_of(record) for record in await store.list()])

    async def test_rotating_ends_the_old_one_at_once(self, service, store):
        old = await service.show_default()
        issued = await service.rotate("default")
        assert issued.key.rotated_at is not None
        assert service.authenticate(issued.secret).id == "default"
        assert await service.show_default() == issued.secret
        assert "not one of" in refused(service, old)
        assert (await KeyService.open(store, BOX)).authenticate(issued.secret).id == "default"

    async def test_cannot_be_revoked(self, service):
        with pytest.raises(Conflict, match="Rotate it"):
            await service.revoke("default")


def vars_of(record):
    return {name: getattr(record, name) for name in record.__slots__}


class TestPins:
    async def test_a_pinned_default_replaces_the_stored_one_while_it_is_there(self, store, service):
        stored = await service.show_default()
        pinned = await KeyService.open(store, BOX, default_pin=PIN)
        assert pinned.authenticate(PIN.secret).pinned_by == "DRAGOMAN_API_KEY"
        assert await pinned.show_default() == PIN.secret
        assert "not one of" in refused(pinned, stored)
        assert len(pinned.list()) == 1
        unpinned = await KeyService.open(store, BOX)
        assert unpinned.authenticate(stored).id == "default"
        assert "not one of" in refused(unpinned, PIN.secret)

    async def test_the_admin_key_opens_management_and_nothing_else(self, store):
        service = await KeyService.open(store, BOX, admin_pin=ADMIN_PIN)
        assert service.authenticate(ADMIN_PIN.secret).scopes == {Scope.ADMIN}

    async def test_pinned_keys_are_never_stored(self, store):
        service = await KeyService.open(store, BOX, default_pin=PIN, admin_pin=ADMIN_PIN)
        assert {each.id for each in service.list()} == {"default", "admin"}
        assert await store.list() == ()

    @pytest.mark.parametrize("change", ["rotate", "revoke"])
    @pytest.mark.parametrize("reference", ["default", "admin"])
    async def test_are_changed_where_they_stand(self, store, change, reference):
        service = await KeyService.open(store, BOX, default_pin=PIN, admin_pin=ADMIN_PIN)
        with pytest.raises(Conflict, match=r"pinned by DRAGOMAN_(API|ADMIN)_KEY"):
            await getattr(service, change)(reference)

    @pytest.mark.parametrize(
        ("secret", "reason"),
        [
            ("", "at least 16"),
            ("x" * 15, "at least 16"),
            ("key with spaces in", "no header can carry"),
            ("schlüssel-schlüssel", "no header can carry"),
            ("line\nline\nline\nline", "no header can carry"),
        ],
    )
    async def test_unfit_ones_are_refused_without_quoting_them(self, store, secret, reason):
        with pytest.raises(ConfigError, match=reason) as caught:
            await KeyService.open(store, BOX, default_pin=Pin(secret, "DRAGOMAN_API_KEY"))
        assert "DRAGOMAN_API_KEY" in caught.value.message
        assert not secret or secret not in caught.value.message
        assert await store.list() == ()

    async def test_one_key_cannot_be_both(self, store):
        both = Pin(PIN.secret, "DRAGOMAN_ADMIN_KEY")
        with pytest.raises(ConfigError, match="DRAGOMAN_API_KEY and DRAGOMAN_ADMIN_KEY"):
            await KeyService.open(store, BOX, default_pin=PIN, admin_pin=both)

    def test_do_not_show_in_a_repr(self):
        assert PIN.secret not in repr(PIN)


class TestCreate:
    async def test_a_key_works_at_once_and_after_a_restart(self, service, store, clock):
        issued = await service.create(
            " laptop ", models=["anthropic:*"], scopes=["admin"], expires_at=clock.now + 1
        )
        assert re.fullmatch(r"sk-dragoman-[A-Za-z0-9_-]{43}", issued.secret)
        assert issued.secret not in repr(issued)
        found = service.authenticate(issued.secret)
        assert found == issued.key
        assert (found.name, found.scopes) == ("laptop", {Scope.ADMIN})
        assert not found.allows("openai:gpt-4")
        again = await KeyService.open(store, BOX, clock=clock)
        assert again.authenticate(issued.secret) == found

    async def test_has_no_copy_of_its_secret(self, service, store):
        issued = await service.create("laptop")
        record = await store.get(issued.key.id)
        assert record.sealed is None
        assert issued.secret not in repr(vars_of(record))

    async def test_expires_by_the_clock(self, service, clock):
        issued = await service.create("laptop", expires_at=clock.now + 1)
        clock.now += 1
        assert "has expired" in refused(service, issued.secret)

    @pytest.mark.parametrize(
        ("terms", "param"),
        [
            ({"name": " "}, "name"),
            ({"name": "x" * 101}, "name"),
            ({"name": "a\nb"}, "name"),
            ({"scopes": []}, "scopes"),
            ({"scopes": ["root"]}, "scopes"),
            ({"models": ["a:*", " "]}, "models"),
            ({"expires_at": 1_000_000}, "expires_at"),
        ],
    )
    async def test_terms_without_sense_are_refused(self, service, terms, param):
        with pytest.raises(InvalidRequest) as caught:
            await service.create(**{"name": "laptop", **terms})
        assert caught.value.param == param
        assert len(service.list()) == 1

    @pytest.mark.parametrize("name", ["default", "admin"])
    async def test_the_gateways_own_names_are_taken(self, service, name):
        with pytest.raises(Conflict):
            await service.create(name)


class TestChanges:
    async def test_rotating_gives_a_new_secret_to_the_same_key(self, service):
        issued = await service.create("laptop", models=["a:*"])
        rotated = await service.rotate("laptop")
        assert rotated.key.id == issued.key.id
        assert service.authenticate(rotated.secret).models == ("a:*",)
        assert "not one of" in refused(service, issued.secret)

    async def test_a_revoked_key_says_so_and_stays_dead(self, service):
        issued = await service.create("laptop")
        revoked = await service.revoke("laptop")
        assert revoked.revoked_at is not None
        assert "was revoked" in refused(service, issued.secret)
        assert await service.revoke(issued.key.id) == revoked
        with pytest.raises(Conflict, match="dead"):
            await service.rotate(issued.key.id)

    async def test_an_expired_key_cannot_be_rotated(self, service, clock):
        await service.create("laptop", expires_at=clock.now + 1)
        clock.now += 1
        with pytest.raises(Conflict, match="dead"):
            await service.rotate("laptop")

    async def test_other_processes_see_a_change_after_reloading(self, store, service):
        other = await KeyService.open(store, BOX)
        issued = await service.create("laptop")
        assert "not one of" in refused(other, issued.secret)
        await other.reload()
        assert other.authenticate(issued.secret) == issued.key

    async def test_a_ring_in_use_does_not_change(self, service):
        ring = service.ring
        issued = await service.create("laptop")
        assert "not one of" in refused(ring, issued.secret)


class TestFind:
    async def test_by_id_or_by_the_name_of_a_live_key(self, service):
        first = (await service.create("laptop")).key
        assert service.find(first.id) == service.find("laptop") == first
        await service.revoke("laptop")
        second = (await service.create("laptop")).key
        assert service.find("laptop") == second

    async def test_a_name_that_several_have_is_refused_with_their_ids(self, service):
        ids = {(await service.create("laptop")).key.id for _ in range(2)}
        with pytest.raises(Conflict) as caught:
            service.find("laptop")
        assert all(each in caught.value.message for each in ids)

    async def test_a_missing_one_is_named(self, service):
        with pytest.raises(NotFound, match="phone"):
            service.find("phone")


TERMS = {"rpm": 60, "tpm": 9000, "concurrency": 2, "budgets": ["5/day", "100/month"]}


class TestLimits:
    async def test_a_key_keeps_the_limits_that_it_was_made_with(self, service):
        allowance = read_allowance(**TERMS)
        issued = await service.create("laptop", allowance=allowance)
        assert issued.key.allowance == allowance
        await service.reload()
        assert service.ring.authenticate(issued.secret).allowance == allowance

    async def test_a_key_without_limits_has_no_allowance_to_look_at(self, service):
        assert (await service.create("laptop")).key.allowance is None

    async def test_what_is_not_named_stays(self, service):
        await service.create("laptop", models=["a:*"], allowance=read_allowance(**TERMS))
        changed = await service.change("laptop", {"rpm": None, "budgets": ["7/week"]})
        assert changed.allowance.written() == {**TERMS, "rpm": None, "budgets": ["7/week"]}
        assert changed.models == ("a:*",)

    async def test_a_change_holds_for_the_next_request(self, service, clock):
        issued = await service.create("laptop")
        await service.change(
            "laptop", {"concurrency": 1, "models": ["b:*"], "expires_at": clock.now + 1}
        )
        key = service.ring.authenticate(issued.secret)
        assert (key.allowance, key.models) == (read_allowance(concurrency=1), ("b:*",))
        assert key.expires_at == clock.now + 1

    async def test_the_default_key_can_have_limits(self, service):
        changed = await service.change("default", {"budgets": ["20/month"]})
        assert changed.allowance == read_allowance(budgets=["20/month"])

    async def test_a_key_that_ran_out_can_be_given_more_time(self, service, clock):
        issued = await service.create("laptop", expires_at=clock.now + 1)
        clock.now += 1
        await service.change("laptop", {"expires_at": None})
        assert service.ring.authenticate(issued.secret).expires_at is None

    @pytest.mark.parametrize(
        "changes", [{"rpm": 0}, {"budgets": ["much"]}, {"models": [""]}, {"expires_at": 1}]
    )
    async def test_terms_that_make_no_sense_change_nothing(self, service, changes):
        before = (await service.create("laptop")).key
        with pytest.raises(InvalidRequest):
            await service.change("laptop", changes)
        assert service.find("laptop") == before

    async def test_neither_pinned_nor_dead_keys_can_be_changed(self, store, clock):
        service = await KeyService.open(store, BOX, default_pin=PIN, clock=clock)
        made = await service.create("laptop")
        await service.revoke("laptop")
        for reference in ("default", made.key.id):
            with pytest.raises(Conflict):
                await service.change(reference, {"rpm": 1})
