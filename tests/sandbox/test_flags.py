"""The flags of `importer sandbox` and the options of a sandbox are the same."""

from __future__ import annotations

from dataclasses import fields

import click

from importer.cli.parameters import define_command
from importer.cli.sandbox import ServeOptions, command
from importer.sandbox import Idempotency, Rewrite, SandboxOptions


def behaviour(*words: str) -> SandboxOptions:
    """Return the options of a sandbox that the command line chooses."""
    taken: list[ServeOptions] = []
    define_command("sandbox", ServeOptions, examples=())(taken.append).main(words, standalone_mode=False)
    return taken[0].behaviour


def test_without_flags_a_sandbox_has_its_defaults():
    assert behaviour() == SandboxOptions()


def test_every_option_of_a_sandbox_has_a_flag_under_a_heading():
    shown = command.get_help(click.Context(command, max_content_width=80))
    assert {f"--{each.name.replace('_', '-')}" for each in fields(SandboxOptions)} <= set(shown.split())
    assert "\nIdempotency keys:\n" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_flag_sets_its_option():
    chosen = behaviour(
        *("--rate-limit", "0", "--idempotency", "expired", "--keys-kept", "1.5", "--clock-offset", "-5"),
        *("--rewrites", "spaces", "--rewrites", "case", "--rewrites-on", "read"),
        *("--taken-external-id-status", "409", "--missing", "/v3/follow_ups", "--put-replaces"),
    )
    assert chosen == SandboxOptions(
        rate_limit=None,
        idempotency=Idempotency.EXPIRED,
        keys_kept=1.5,
        clock_offset=-5.0,
        rewrites=frozenset({Rewrite.SPACES, Rewrite.CASE}),
        rewrites_on="read",
        taken_external_id_status=409,
        missing=frozenset({"/v3/follow_ups"}),
        put_replaces=True,
    )
