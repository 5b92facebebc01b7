"""Reading the policy again: who has it is told so in a line, until there is something new."""

from datetime import timedelta

from service.policy.versions import Draft, publish


def test_who_has_what_is_in_force_need_not_get_it_again(each_local):
    with each_local.running() as running:
        first = running.http.get("/v1/policy")
        tag = first.headers["etag"]
        assert (first.status_code, first.headers["content-type"]) == (200, "application/json")
        again = running.http.get("/v1/policy", headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert running.http.get("/v1/policy", headers={"If-None-Match": '"another"'}).json() == first.json()


def test_what_is_published_or_comes_into_force_is_new_to_everybody(each_local):
    with each_local.running() as running:
        tags = [running.http.get("/v1/policy").headers["etag"]]
        after = each_local.clock() + timedelta(days=8)
        version, _ = publish(running.parts, Draft(after, "Other words.", ("impact",)))
        seen = running.http.get("/v1/policy", headers={"If-None-Match": tags[0]})
        assert seen.status_code == 200
        assert [one["version"] for one in seen.json()["later"]] == [version.version]
        tags.append(seen.headers["etag"])
        each_local.clock.move(days=9)
        seen = running.http.get("/v1/policy", headers={"If-None-Match": tags[1]})
        assert (seen.json()["version"], seen.json()["text"], seen.json()["later"]) == (
            version.version,
            "Other words.",
            [],
        )
        assert len({*tags, seen.headers["etag"]}) == 3
