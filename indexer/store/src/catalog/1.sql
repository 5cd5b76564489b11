-- Times are nanoseconds since 1970, ranges half-open. Only what SQLite and PostgreSQL both understand.
CREATE TABLE partitions (
    partition BIGINT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL UNIQUE,
    published BIGINT NOT NULL
);

INSERT INTO partitions (partition, tenant, published) VALUES (0, 'default', 0);

CREATE TABLE splits (
    id TEXT NOT NULL PRIMARY KEY,
    partition BIGINT NOT NULL REFERENCES partitions (partition),
    first_sequence BIGINT NOT NULL,
    end_sequence BIGINT NOT NULL,
    events BIGINT NOT NULL,
    first_filed BIGINT NOT NULL,
    last_filed BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    created BIGINT NOT NULL,
    level BIGINT NOT NULL
);

CREATE INDEX splits_in_order ON splits (partition, first_sequence);

CREATE TABLE batches (
    partition BIGINT NOT NULL REFERENCES partitions (partition),
    batch TEXT NOT NULL,
    answer TEXT NOT NULL,
    accepted BIGINT NOT NULL,
    PRIMARY KEY (partition, batch)
);

CREATE INDEX batches_by_age ON batches (accepted);
