"""What Python clients of Elasticsearch and OpenSearch read from Locard: run once a client, `LOCARD_URL` says where, argument 1 which."""

import datetime
import json
import os
import sys
import urllib.request

URL = os.environ["LOCARD_URL"]
KIND = sys.argv[1]
START = datetime.datetime(2026, 9, 21, 12, tzinfo=datetime.timezone.utc)
COUNT = 250


def ingest():
    """Sends the documents through a door of Locard's own."""
    lines = []
    for n in range(COUNT):
        time = (START + datetime.timedelta(seconds=n // 2)).isoformat()
        level = ["info", "warn", "error"][n % 3]
        lines.append(json.dumps({"@timestamp": time, "message": f"line {n} of a test", "n": n, "level": level}))
    request = urllib.request.Request(f"{URL}/ingest/ndjson?dataset=read-{KIND}", "\n".join(lines).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["accepted"] == COUNT


def connect():
    if KIND == "opensearch":
        from opensearchpy import OpenSearch, exceptions, helpers

        return OpenSearch(f"{URL}/es"), helpers, exceptions
    import elasticsearch
    from elasticsearch import Elasticsearch, helpers

    return Elasticsearch(f"{URL}/es"), helpers, elasticsearch


def fail(error, status, call):
    """The call is refused in this client's own words."""
    try:
        call()
    except error as refused:
        got = getattr(refused, "status_code", None) or refused.meta.status
        assert got == status, (got, refused)
    else:
        raise AssertionError(f"not refused: {status}")


def search(client, index, body, **more):
    if KIND in ("es8", "es9"):
        return client.search(index=index, **body, **more)
    return client.search(index=index, body=body, **more)


def hits_and_aggregations(client, index):
    info = client.info()
    assert info["version"]["number"].split(".")[0] in ("7", "8"), info
    assert client.ping()
    assert client.indices.exists(index=index)
    assert not client.indices.exists(index="nowhere")
    found = search(client, index, {"query": {"match": {"message": "line 7"}}, "size": 3, "sort": [{"n": "asc"}]})
    assert [hit["_source"]["n"] for hit in found["hits"]["hits"]] == [0, 1, 2], found
    found = search(client, index, {"query": {"match_phrase": {"message": "line 7"}}})
    assert found["hits"]["total"] == {"value": 1, "relation": "eq"}, found
    found = search(client, index, {"query": {"fuzzy": {"message": "lime"}}, "track_total_hits": True})
    assert found["hits"]["total"]["value"] == COUNT, found
    aggs = {"l": {"terms": {"field": "level.keyword"}, "aggs": {"m": {"max": {"field": "n"}}}}}
    found = search(client, index, {"size": 0, "aggs": aggs})["aggregations"]["l"]
    assert [(bucket["key"], bucket["doc_count"], bucket["m"]["value"]) for bucket in found["buckets"]] == [
        ("info", 84, 249.0), ("error", 83, 248.0), ("warn", 83, 247.0)], found
    assert client.count(index=index)["count"] == COUNT


def documents(client, index):
    hit = search(client, index, {"query": {"term": {"n": 9}}})["hits"]["hits"][0]
    assert client.get(index=index, id=hit["_id"])["_source"] == hit["_source"]
    assert client.exists(index=index, id=hit["_id"])
    assert not client.exists(index=index, id="none")
    found = client.mget(index=index, body={"ids": [hit["_id"], "none"]}) if KIND in ("es7", "opensearch") else client.mget(
        index=index, ids=[hit["_id"], "none"])
    assert [doc["found"] for doc in found["docs"]] == [True, False], found
    fields = client.field_caps(index=index, fields="*")["fields"]
    assert "date" in fields["@timestamp"] and "long" in fields["n"], fields
    mapping = client.indices.get_mapping(index=index)[index]["mappings"]["properties"]
    assert mapping["n"]["type"] == "long", mapping
    assert client.cluster.health(wait_for_status="yellow")["status"] == "green"
    assert any(row["index"] == index for row in client.cat.indices(format="json"))


def pages(client, helpers, index):
    seen = [hit["_source"]["n"] for hit in helpers.scan(client, index=index, query={"query": {"match_all": {}}}, size=60)]
    assert sorted(seen) == list(range(COUNT)), len(seen)
    # OpenSearch has points in time under another path; there a second key tells equal times apart.
    pit = None if KIND == "opensearch" else client.open_point_in_time(index=index, keep_alive="1m")["id"]
    seen, after = [], None
    while True:
        body = {"size": 60, "sort": [{"@timestamp": "desc"}]}
        if pit:
            body["pit"] = {"id": pit, "keep_alive": "1m"}
        else:
            body["sort"].append({"n": "asc"})
        if after:
            body["search_after"] = after
        page = search(client, None if pit else index, body)["hits"]["hits"]
        if not page:
            break
        seen.extend(hit["_source"]["n"] for hit in page)
        after = page[-1]["sort"]
    assert sorted(seen) == list(range(COUNT)), len(seen)
    if pit:
        closed = client.close_point_in_time(body={"id": pit}) if KIND == "es7" else client.close_point_in_time(id=pit)
        assert closed["succeeded"]


def refusals(client, errors, index):
    not_found, bad = errors.NotFoundError, getattr(errors, "BadRequestError", None) or errors.RequestError
    fail(not_found, 404, lambda: search(client, "nowhere", {}))
    fail(not_found, 404, lambda: client.get(index=index, id="none"))
    fail(bad, 400, lambda: search(client, index, {"query": {"nonsense": {}}}))
    fail(bad, 400, lambda: search(client, index, {"query": {"script": {"script": "true"}}}))


def several(client, index):
    lines = [{"index": index}, {"size": 0}, {"index": "nowhere"}, {}]
    answer = client.msearch(searches=lines) if KIND in ("es8", "es9") else client.msearch(body=lines)
    assert [one["status"] for one in answer["responses"]] == [200, 404], answer


def main():
    ingest()
    index = f"read-{KIND}"
    client, helpers, errors = connect()
    hits_and_aggregations(client, index)
    documents(client, index)
    pages(client, helpers, index)
    refusals(client, errors, index)
    several(client, index)
    print(f"{KIND}: passed")


main()
