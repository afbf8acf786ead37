from semafor.planner.memo import Made, Memo


def _counted():
    calls = []
    return calls, lambda: calls.append(1) or len(calls)


def test_a_result_is_taken_over_while_its_inputs_are_the_same_objects():
    one, (calls, compute) = object(), _counted()
    first = Memo()
    first("key", (one,), compute)
    assert (Memo(first)("key", (one,), compute), calls) == (1, [1])


def test_a_result_is_made_anew_when_an_input_is_another_object():
    (calls, compute), first = _counted(), Memo()
    first("key", (object(),), compute)
    assert (Memo(first)("key", (object(),), compute), calls) == (2, [1, 1])


def test_what_nobody_asked_for_is_forgotten():
    one, (_, compute), first = object(), _counted(), Memo()
    first("key", (one,), compute)
    assert Memo(Memo(first))("key", (one,), compute) == 2


def test_once_does_not_outlive_its_generation():
    (_, compute), first = _counted(), Memo()
    assert [first.once("key", compute), first.once("key", compute), Memo(first).once("key", compute)] == [1, 1, 2]


def test_what_is_known_to_be_the_same_is_taken_over_without_a_look():
    (calls, compute), first = _counted(), Memo()
    first.near("key", Made(lambda: (object(),), lambda: (object(),), compute))
    second = Memo(first)
    assert (second.again("key"), second.again("other"), Memo(second).again("key"), calls) == (1, None, 1, [1])


def test_the_result_of_the_generation_before_can_be_asked_for():
    (_, compute), first = _counted(), Memo()
    first("key", (), compute)
    assert (Memo(first).before("key"), first.before("key")) == (1, None)
