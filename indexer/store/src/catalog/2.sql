-- Retention classes: the filter of the rule that keeps a split's events, and what stands for the list of rules that was asked.
ALTER TABLE splits ADD COLUMN rule TEXT NOT NULL DEFAULT '';

ALTER TABLE splits ADD COLUMN rules TEXT NOT NULL DEFAULT '';

-- Legal holds. A released one stays as a record; its name is not given again.
CREATE TABLE holds (
    partition BIGINT NOT NULL REFERENCES partitions (partition),
    name TEXT NOT NULL,
    filter TEXT NOT NULL,
    first_filed BIGINT,
    end_filed BIGINT,
    reason TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created BIGINT NOT NULL,
    released_by TEXT,
    released BIGINT,
    release_reason TEXT,
    PRIMARY KEY (partition, name)
);
