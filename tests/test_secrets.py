from __future__ import annotations

import asyncio
import base64
import stat
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ConfigError, StoreError
from dragoman.paths import open_data_directory
from dragoman.secrets import SecretBox, mask

BOX = SecretBox(bytes(32), "the first key")
OTHER = SecretBox(bytes([1]) * 32, "/data/secret.key")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_what_was_encrypted_can_be_decrypted(text):
    assert BOX.decrypt(BOX.encrypt(text)) == text


def test_the_same_text_never_looks_the_same():
    assert BOX.encrypt("sk-1") != BOX.encrypt("sk-1")


@given(st.data())
def test_a_changed_bit_is_noticed(data):
    sealed = bytearray(BOX.encrypt("a provider's key"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(StoreError):
        BOX.decrypt(bytes(sealed))


@given(st.binary(max_size=64))
def test_garbage_is_refused_as_a_store_error(garbage):
    with pytest.raises(StoreError):
        BOX.decrypt(garbage)


def test_another_key_is_named_together_with_the_one_that_was_expected():
    with pytest.raises(StoreError) as caught:
        OTHER.decrypt(BOX.encrypt("sk-secret"))
    message = caught.value.message
    assert BOX.fingerprint in message
    assert OTHER.fingerprint in message
    assert "/data/secret.key" in message
    assert "sk-secret" not in message


def test_digests_depend_on_the_secret_key_and_take_any_string():
    assert BOX.digest("key") == BOX.digest("key")
    assert BOX.digest("key") != OTHER.digest("key")
    assert len(BOX.digest("\udcff é \0")) == 32


class TestTokens:
    def test_lives_until_its_expiry(self):
        now = 1_000.0
        box = SecretBox(bytes(32), "test", clock=lambda: now)
        token = box.mint("login", 60)
        now = 1_059.0
        assert box.verify(token, "login")
        now = 1_060.0
        assert not box.verify(token, "login")

    def test_is_good_for_its_purpose_and_key_only(self):
        token = BOX.mint("login", 60)
        assert not BOX.verify(token, "session")
        assert not OTHER.verify(token, "login")

    def test_two_tokens_differ(self):
        assert BOX.mint("login", 60) != BOX.mint("login", 60)

    def test_bytes_cannot_move_between_claim_and_purpose(self):
        data = base64.urlsafe_b64decode(BOX.mint("login", 60) + "==")
        forged = base64.urlsafe_b64encode(data[:20] + b"lo" + data[20:]).decode().rstrip("=")
        assert not BOX.verify(forged, "gin")

    @pytest.mark.parametrize("spelling", ["{}=", "{}\n", "!{}", " {}", "{}A"])
    def test_has_one_spelling_only(self, spelling):
        assert not BOX.verify(spelling.format(BOX.mint("login", 60)), "login")

    def test_unused_bits_of_the_last_character_must_be_zero(self):
        token = BOX.mint("login", 60)
        respelled = token[:-1] + chr(ord(token[-1]) + 1)
        assert base64.urlsafe_b64decode(respelled + "==") == base64.urlsafe_b64decode(token + "==")
        assert not BOX.verify(respelled, "login")

    @given(st.text())
    def test_garbage_is_no_token(self, garbage):
        assert not BOX.verify(garbage, "login")


class TestMask:
    def test_gateway_keys_show_two_and_four(self):
        assert mask("sk-dragoman-ab" + "x" * 37 + "wxyz") == "sk-dragoman-ab…wxyz"

    def test_other_keys_show_four_and_four(self):
        assert mask("sk-proj-0123456789abcdefwxyz") == "sk-p…wxyz"

    @pytest.mark.parametrize("secret", ["", "short", "x" * 23, "sk-dragoman-" + "x" * 23])
    def test_short_ones_show_nothing(self, secret):
        assert mask(secret) in {"…", "sk-dragoman-…"}

    @given(st.text(min_size=24))
    def test_never_more_than_eight_characters(self, secret):
        assert len(mask(secret).removeprefix("sk-dragoman-")) <= 9


class TestWhereTheKeyComesFrom:
    def test_a_key_file_is_made_private_and_used_again(self, tmp_path):
        directory = open_data_directory(tmp_path)
        sealed = SecretBox.open(directory).encrypt("text")
        assert SecretBox.open(directory).decrypt(sealed) == "text"
        assert stat.S_IMODE(directory.secret_key.stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]

    def test_the_environment_wins_and_leaves_no_file(self, tmp_path):
        directory = open_data_directory(tmp_path)
        box = SecretBox.open(directory, "a passphrase of some length")
        again = SecretBox.open(directory, "a passphrase of some length")
        assert again.decrypt(box.encrypt("text")) == "text"
        assert not directory.secret_key.exists()

    @pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
    @pytest.mark.parametrize("padding", ["", "="])
    def test_32_bytes_of_base64_are_the_key_itself(self, tmp_path, encode, padding):
        key = bytes(range(223, 255))
        configured = encode(key).decode().rstrip("=") + padding
        box = SecretBox.open(open_data_directory(tmp_path), configured)
        assert box.fingerprint == SecretBox(key, "").fingerprint

    def test_the_files_content_can_move_into_the_environment(self, tmp_path):
        directory = open_data_directory(tmp_path)
        sealed = SecretBox.open(directory).encrypt("text")
        content = directory.secret_key.read_text().strip()
        directory.secret_key.unlink()
        assert SecretBox.open(directory, content).decrypt(sealed) == "text"

    def test_a_short_passphrase_is_refused_without_quoting_it(self, tmp_path):
        with pytest.raises(ConfigError, match="at least 16") as caught:
            SecretBox.open(open_data_directory(tmp_path), "fifteen letters"[:15])
        assert "fifteen" not in caught.value.message

    @pytest.mark.parametrize("content", ["", "not a key", "\xff\xfe"])
    def test_a_broken_key_file_is_refused_and_kept(self, tmp_path, content):
        directory = open_data_directory(tmp_path)
        directory.secret_key.write_text(content)
        with pytest.raises(ConfigError, match=r"secret\.key does not hold"):
            SecretBox.open(directory)
        assert directory.secret_key.read_text() == content

    def test_an_unreadable_key_file_is_a_config_error(self, tmp_path):
        directory = open_data_directory(tmp_path)
        directory.secret_key.mkdir()
        with pytest.raises(ConfigError, match=r"secret\.key cannot be read"):
            SecretBox.open(directory)

    async def test_processes_that_start_together_agree(self, tmp_path):
        program = (
            "import sys; from dragoman.paths import open_data_directory;"
            "from dragoman.secrets import SecretBox;"
            "print(SecretBox.open(open_data_directory(sys.argv[1])).fingerprint)"
        )
        processes = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
            )
            for _ in range(4)
        ]
        outputs = [await process.communicate() for process in processes]
        assert len({output for output, _ in outputs}) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
