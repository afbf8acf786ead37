"""One authority follows another, and no moment of the daemon's end spoils that."""

import stat
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.ca import made

from semafor.ca import book, plugged, trust
from semafor.ca.authority import Authority
from semafor.ca.keys import KeyFileError

OLD, NEW, OTHER = (Authority.new(now=made.NOW) for _ in range(3))
STEPS = ("announcing", "replacing", "withdrawing", "stable")


def step(state: trust.Trust, *, known: bool = True, replaced: bool = True) -> trust.Trust:
    return trust.advance(state, known=known, replaced=replaced, now=made.NOW)


@pytest.fixture
def announcing() -> trust.Trust:
    return trust.aim(trust.start(OLD, made.NOW), NEW, made.NOW)


def test_an_authority_follows_another_in_four_phases(announcing):
    told = []
    state = announcing
    for _ in STEPS:
        told.append(
            (state.phase, state.signer.id, tuple(each for each in (OLD, NEW) if each.certificate in state.roots))
        )
        state = step(state)
    assert told == [
        ("announcing", OLD.id, (OLD, NEW)),
        ("replacing", NEW.id, (OLD, NEW)),
        ("withdrawing", NEW.id, (NEW,)),
        ("stable", NEW.id, (NEW,)),
    ]


@pytest.mark.parametrize("phase", STEPS)
def test_no_phase_ends_before_every_proxy_has_it(announcing, phase):
    state = announcing
    while state.phase != phase:
        state = step(state)
    assert step(state, known=False) is state


def test_the_old_root_stays_while_leaves_of_it_are_about(announcing):
    replacing = step(announcing)
    assert step(replacing, replaced=False) is replacing


def test_while_nobody_has_a_leaf_of_the_coming_one_the_aim_may_change(announcing):
    assert trust.aim(announcing, OTHER, made.NOW).coming is OTHER
    assert trust.aim(announcing, OLD, made.NOW).phase == "stable"


def test_what_is_half_replaced_comes_to_its_end_first(announcing):
    replacing = step(announcing)
    assert trust.aim(replacing, OTHER, made.NOW) is replacing


def test_an_authority_that_has_expired_is_replaced_at_once():
    late = made.NOW + timedelta(days=4000)
    assert trust.aim(trust.start(OLD, made.NOW), Authority.new(now=late), late).phase == "replacing"


def test_a_new_intermediate_of_the_same_root_changes_no_root():
    files = made.cacerts()
    authority = plugged.read(files, now=made.NOW)
    state = trust.aim(
        trust.start(authority, made.NOW), Authority(NEW.certificate, NEW.key, roots=authority.roots), made.NOW
    )
    assert state.roots == authority.roots


@pytest.mark.parametrize("phase", STEPS)
def test_each_phase_is_found_again(announcing, phase, tmp_path):
    state = announcing
    while state.phase != phase:
        state = step(state)
    book.save(tmp_path, state)
    found = book.open_(tmp_path, now=made.NOW)
    assert (found.phase, found.signer.id, found.roots) == (state.phase, state.signer.id, state.roots)


def test_a_plugged_in_authority_is_found_again_with_its_chain(tmp_path):
    authority = plugged.read(made.cacerts(), now=made.NOW)
    book.save(tmp_path, replace(trust.start(OLD, made.NOW), active=authority))
    assert book.open_(tmp_path, now=made.NOW).active.chain_pem == authority.chain_pem


def test_the_file_is_its_owners_alone_and_the_only_one_with_keys(tmp_path):
    first = book.open_(tmp_path, now=made.NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["authorities.json", "root-cert.pem"]
    assert stat.S_IMODE((tmp_path / "authorities.json").stat().st_mode) == 0o600
    assert (tmp_path / "root-cert.pem").read_bytes() == first.own.root_pem


def test_the_root_of_an_older_home_is_kept(tmp_path):
    older = Authority.open(tmp_path, now=made.NOW)
    assert book.open_(tmp_path, now=made.NOW).own.id == older.id


@pytest.mark.parametrize("spoil", [lambda path: path.chmod(0o644), lambda path: path.write_text("nonsense")])
def test_a_spoilt_file_is_refused_with_its_path(tmp_path, spoil):
    book.open_(tmp_path, now=made.NOW)
    spoil(tmp_path / "authorities.json")
    with pytest.raises(KeyFileError, match=r"authorities\.json"):
        book.open_(tmp_path, now=made.NOW)
