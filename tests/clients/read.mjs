// What the JavaScript client of Elasticsearch reads from Locard. LOCARD_URL says where.
import assert from "node:assert/strict";
import { Client, errors } from "@elastic/elasticsearch";

const url = process.env.LOCARD_URL;
const index = "read-node";
const lines = Array.from({ length: 100 }, (_, n) =>
  JSON.stringify({ "@timestamp": new Date(1790000000000 + n * 1000).toISOString(), message: `line ${n}`, n, level: n % 2 ? "odd" : "even" }),
);
const sent = await fetch(`${url}/ingest/ndjson?dataset=${index}`, { method: "POST", body: lines.join("\n") });
assert.equal((await sent.json()).accepted, 100);

const client = new Client({ node: `${url}/es` });
assert.equal((await client.info()).tagline, "You Know, for Search");
const found = await client.search({ index, query: { range: { n: { gte: 90 } } }, sort: [{ n: "desc" }], aggs: { l: { terms: { field: "level.keyword" } } } });
assert.deepEqual(found.hits.hits.map((hit) => hit._source.n), [99, 98, 97, 96, 95, 94, 93, 92, 91, 90]);
assert.deepEqual(found.aggregations.l.buckets.map((bucket) => bucket.doc_count), [5, 5]);

const seen = [];
for await (const document of client.helpers.scrollDocuments({ index, query: { match_all: {} }, size: 30 })) seen.push(document.n);
assert.deepEqual(seen.sort((one, two) => one - two), lines.map((_, n) => n));

const pit = await client.openPointInTime({ index, keep_alive: "1m" });
const page = await client.search({ pit: { id: pit.id }, size: 1, sort: [{ "@timestamp": "asc" }] });
const next = await client.search({ pit: { id: pit.id }, size: 1, sort: [{ "@timestamp": "asc" }], search_after: page.hits.hits[0].sort });
assert.equal(next.hits.hits[0]._source.n, 1);
await client.closePointInTime({ id: pit.id });

await assert.rejects(client.search({ index: "nowhere" }), (error) => error instanceof errors.ResponseError && error.statusCode === 404);
await assert.rejects(client.search({ index, query: { nonsense: {} } }), (error) => error.statusCode === 400);
const several = await client.msearch({ searches: [{ index }, { size: 0 }, { index: "nowhere" }, {}] });
assert.deepEqual(several.responses.map((one) => one.status), [200, 404]);
console.log("node: passed");
