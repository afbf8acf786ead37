"""Links work once and not for long; sessions end; guessing gets slow."""

from semafor.app.web.login import IDLE_LIFE_S, LINK_LIFE_S, SESSION_LIFE_S, Attempts, Links, Sessions


def test_a_link_works_once():
    links = Links()
    link = links.make(0)
    assert [links.use(link, 1), links.use(link, 2), links.use("made-up", 3)] == [True, False, False]


def test_a_link_gets_too_old():
    links = Links()
    assert not links.use(links.make(0), LINK_LIFE_S + 1)


def test_old_links_give_way_to_new_ones():
    links = Links()
    made = [links.make(0) for _ in range(40)]
    assert (links.use(made[0], 1), links.use(made[-1], 1)) == (False, True)


def test_a_session_lasts_while_it_is_used_but_not_for_ever():
    sessions = Sessions()
    token, session = sessions.begin("link", 0)
    moments = range(0, int(SESSION_LIFE_S), int(IDLE_LIFE_S) - 1)
    assert all(sessions.find(token, now) is session for now in moments)
    assert sessions.find(token, SESSION_LIFE_S + 1) is None


def test_a_session_that_nobody_uses_ends():
    sessions = Sessions()
    token, _ = sessions.begin("link", 0)
    assert sessions.find(token, IDLE_LIFE_S + 1) is None
    assert sessions.find(token, 1) is None


def test_who_leaves_is_out():
    sessions = Sessions()
    token, _ = sessions.begin("link", 0)
    sessions.end(token)
    assert sessions.find(token, 1) is None


def test_after_five_failures_one_has_to_wait_and_then_may_try_again():
    attempts = Attempts()
    waits = []
    for _ in range(6):
        waits.append(attempts.wait_s(0) > 0)
        attempts.failed(0)
    assert waits == [False] * 5 + [True]
    assert attempts.wait_s(3600) == 0
