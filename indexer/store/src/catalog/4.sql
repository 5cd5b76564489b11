-- Which ids clients gave to which events, for as long as there may be events of their range. Ranges follow one another; a key stands
-- for an index and an id, and need not be unique. In the order of the key within a range, so that a new range is written behind the others.
CREATE TABLE client_id_ranges (
    partition BIGINT NOT NULL REFERENCES partitions (partition),
    first_sequence BIGINT NOT NULL,
    end_sequence BIGINT NOT NULL,
    ids BIGINT NOT NULL,
    filter BLOB NOT NULL,
    PRIMARY KEY (partition, first_sequence)
);

CREATE TABLE client_ids (
    partition BIGINT NOT NULL,
    first_sequence BIGINT NOT NULL,
    key BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (partition, first_sequence, key, sequence)
);
