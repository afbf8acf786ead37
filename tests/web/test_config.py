"""Configuration: listed, reviewed while it is typed, stored, deleted."""

RULE = """# a comment
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: details}
spec:
  hosts: [details]
  http:
  - route:
    - destination:
        host: details
        subset: v7
"""
PATH = "/api/config/virtualservices.networking.istio.io/default/details"


async def _check(page, text: str) -> list[tuple[int, str, str]]:
    answer = await page.post("/api/config/check", json={"yaml": text})
    return [(each["line"], each["severity"], each["path"]) for each in answer.json()["findings"]]


async def test_objects_are_listed_with_their_problems(page):
    objects = (await page.get("/api/config")).json()["objects"]
    found = {each["name"]: {one["reason"] for one in each["problems"]} for each in objects if each["namespace"]}
    assert "UnknownSubset" in found["ratings"]


async def test_a_problem_is_shown_at_the_line_of_its_field(page):
    assert (11, "warning", "spec.http[0].route[0].destination.subset") in await _check(page, RULE)


async def test_a_wrong_field_is_an_error_at_its_line(page):
    text = RULE.replace("subset: v7", "subset: 7\n        colour: red")
    assert await _check(page, text) == [
        (11, "error", "spec.http[0].route[0].destination.subset"),
        (12, "error", "spec.http[0].route[0].destination.colour"),
    ]


async def test_what_is_no_yaml_is_told_with_its_line(page):
    assert [(line, severity) for line, severity, _ in await _check(page, "kind: a\n  b: c\n")] == [(2, "error")]


async def test_other_kinds_are_not_changed_here(page):
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a, image: b}]}\n"
    assert await _check(page, pod) == [(2, "error", "kind")]
    assert (await page.post("/api/config/apply", json={"yaml": pod})).status_code == 422


async def test_checking_changes_nothing(page):
    await _check(page, RULE)
    assert (await page.get(PATH)).status_code == 404


async def test_an_object_is_applied_read_changed_and_deleted(page):
    assert (await page.post("/api/config/apply", json={"yaml": RULE})).status_code == 200
    read = (await page.get(PATH)).json()
    assert read["yaml"].splitlines()[:3] == [*RULE.splitlines()[1:3], "metadata:"]
    changed = {"yaml": read["yaml"].replace("v7", "v8"), "version": read["version"]}
    assert (await page.post("/api/config/apply", json=changed)).status_code == 200
    assert "v8" in (await page.get(PATH)).json()["yaml"]
    assert (await page.delete(PATH)).status_code == 200
    assert (await page.get(PATH)).status_code == 404


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(page):
    await page.post("/api/config/apply", json={"yaml": RULE})
    read = (await page.get(PATH)).json()
    await page.post("/api/config/apply", json={"yaml": RULE.replace("v7", "v8")})
    answer = await page.post("/api/config/apply", json={"yaml": read["yaml"], "version": read["version"]})
    assert (answer.status_code, answer.json()["ok"]) == (422, False)
    assert "v8" in (await page.get(PATH)).json()["yaml"]
