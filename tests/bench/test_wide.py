"""The workload of many streams and templates is what it says it is, and wrong answers about it are seen."""

import json
import unittest

import wide


class Workload(unittest.TestCase):
    def test_every_template_is_another(self):
        self.assertEqual(len({wide.template(number) for number in range(wide.TEMPLATES)}), wide.TEMPLATES)

    def test_the_busy_streams_have_more_events(self):
        lines = b"".join(wide.bodies(1_000, 100)).splitlines()
        counts: dict[str, int] = {}
        for line in lines:
            host = json.loads(line)["host"]["name"]
            counts[host] = counts.get(host, 0) + 1
        self.assertEqual(len(counts), 1_000)
        top = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
        questions = {name: check for name, _, check in wide._questions(1_000, 100)}
        self.assertEqual(questions["top host.name"]({"table": {"rows": [list(pair) for pair in top]}}), [])
        self.assertNotEqual(questions["top host.name"]({"table": {"rows": [list(pair) for pair in reversed(top)]}}), [])
        self.assertEqual(questions["count"]({"table": {"rows": [[len(lines)]]}}), [])

    def test_patterns_are_counted_and_their_examples_read(self):
        columns = ["template", "count", "example"]
        right = [[f"{wide.template(number)} of job <*> on <*>", 5, f"{wide.template(number)} of job 1 on 10.0.0.1"] for number in range(4)]
        check = wide._patterns(20, 4)
        self.assertEqual(check({"table": {"columns": columns, "rows": right}}), [])
        for wrong in (right[1:], [*right[1:], [right[0][0], 5, None]], [*right[1:], [right[0][0], 4, right[0][2]]]):
            self.assertNotEqual(check({"table": {"columns": columns, "rows": wrong}}), [])


if __name__ == "__main__":
    unittest.main()
