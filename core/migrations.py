"""The tables of the project file, version by version, and what the checksums of rows cover."""

from typing import Final

_IMAGE_2: Final = (
    "id, path, frame, height, width, position, next_id, review, fingerprint, base, branch"
)
_IMAGE_3: Final = (
    f"{_IMAGE_2}, reason, changed_at, verdict, verdict_at, folder, origin, n_segments, model, "
    "held_out, expected_work"
)
_FIND_SOUND: Final = (
    "CREATE TEMP TABLE sound AS SELECT id FROM image WHERE checksum = row_checksum({})"
)
_SUM_UP: Final = "UPDATE image SET checksum = row_checksum({}) WHERE id IN sound"

# Each entry takes the file one version further; entries are only ever added. `user_version` in
# the file says how many it has been through.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE setting (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE category (
            id INTEGER PRIMARY KEY,
            place INTEGER NOT NULL UNIQUE,   -- in the order that the user gave
            name TEXT NOT NULL,
            is_thing INTEGER NOT NULL,
            color TEXT NOT NULL,             -- rrggbb
            supercategory TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE image (
            id INTEGER PRIMARY KEY,
            path TEXT NOT NULL,              -- from the project's folder if inside it
            frame INTEGER,                   -- of a video; NULL for an image file
            height INTEGER NOT NULL,
            width INTEGER NOT NULL,
            position INTEGER NOT NULL DEFAULT 0,  -- edits 1..position are in effect
            next_id INTEGER NOT NULL DEFAULT 1    -- the smallest segment id never used
        ) STRICT""",
        "CREATE UNIQUE INDEX image_source ON image (path, coalesce(frame, -1))",
        """CREATE TABLE edit (
            image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
            seq INTEGER NOT NULL,            -- 1, 2, ...; those after position can be redone
            label TEXT NOT NULL,
            payload BLOB NOT NULL,           -- journal.encode_edit
            PRIMARY KEY (image_id, seq)
        ) STRICT""",
        """CREATE TABLE snapshot (
            image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
            seq INTEGER NOT NULL,            -- the map after this edit
            payload BLOB NOT NULL,           -- journal.encode_map
            PRIMARY KEY (image_id, seq)
        ) STRICT""",
    ),
    (
        "ALTER TABLE category ADD COLUMN hotkey TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE image ADD COLUMN review TEXT NOT NULL DEFAULT 'open'",  # or 'approved'
        # What its file was like; empty for not known.
        "ALTER TABLE image ADD COLUMN fingerprint TEXT NOT NULL DEFAULT ''",
        # Edits 1..base are gone for good, and the map after them is a snapshot.
        "ALTER TABLE image ADD COLUMN base INTEGER NOT NULL DEFAULT 0",
        # How often edits that were taken back have been dropped for a new one.
        "ALTER TABLE image ADD COLUMN branch INTEGER NOT NULL DEFAULT 0",
        # Of the edit's box, for what it costs to replay; 0 for not known.
        "ALTER TABLE edit ADD COLUMN n_pixels INTEGER NOT NULL DEFAULT 0",
        # NULL in a row that no later version than the first has touched.
        *(
            f"ALTER TABLE {table} ADD COLUMN checksum INTEGER"
            for table in ("setting", "category", "image", "edit", "snapshot")
        ),
    ),
    (
        # Who made an edit; the last three columns only of a model.
        """CREATE TABLE author (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,              -- human, model, propagated or imported
            model TEXT NOT NULL,             -- its name
            seed INTEGER,
            steps INTEGER,
            checksum INTEGER
        ) STRICT""",
        """CREATE UNIQUE INDEX author_all ON author
            (kind, model, coalesce(seed, -1), coalesce(steps, -1))""",
        # NULL in a row of an earlier version; the label then says who it was.
        "ALTER TABLE edit ADD COLUMN author_id INTEGER REFERENCES author",
        "CREATE INDEX edit_author ON edit (image_id, author_id, seq)",
        """CREATE TABLE provenance (
            image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
            seq INTEGER NOT NULL,            -- who made each pixel of the map after this edit
            authors TEXT NOT NULL,           -- ids, from the first to the last to edit
            payload BLOB NOT NULL,           -- provenance.encode_plane
            checksum INTEGER,
            PRIMARY KEY (image_id, seq)
        ) STRICT""",
        """CREATE TABLE model_version (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            path TEXT NOT NULL,              -- of its file, from the project's folder
            sha256 TEXT NOT NULL,            -- of the file
            data_hash TEXT NOT NULL,         -- of what it was trained on
            n_images INTEGER NOT NULL,
            parent INTEGER REFERENCES model_version,
            scores TEXT NOT NULL,            -- JSON
            created INTEGER NOT NULL,        -- seconds since 1970
            checksum INTEGER
        ) STRICT""",
        """CREATE TABLE correction (
            id INTEGER PRIMARY KEY,
            image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
            seq INTEGER NOT NULL,            -- of the edit that took the proposal over
            author_id INTEGER NOT NULL REFERENCES author,
            n_pixels INTEGER,                -- changed up to the approval; NULL before it
            n_segments INTEGER,
            n_gestures INTEGER NOT NULL,
            active_ms INTEGER NOT NULL,
            approved_at INTEGER,             -- seconds since 1970; NULL before it
            checksum INTEGER,
            UNIQUE (image_id, seq)
        ) STRICT""",
        # Segments of each category in an image: what can be found out from its map.
        """CREATE TABLE content (
            category_id INTEGER NOT NULL,
            image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
            n_segments INTEGER NOT NULL,
            PRIMARY KEY (category_id, image_id)
        ) STRICT, WITHOUT ROWID""",
        # A row that was damaged keeps its wrong checksum.
        _FIND_SOUND.format(_IMAGE_2),
        # Why it was rejected.
        "ALTER TABLE image ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
        # When `review` changed last, in seconds since 1970; 0 for not known.
        "ALTER TABLE image ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0",
        # Approved or rejected, or empty; and at which position somebody said so.
        "ALTER TABLE image ADD COLUMN verdict TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE image ADD COLUMN verdict_at INTEGER NOT NULL DEFAULT 0",
        # What is like it: `core.groups`.
        "ALTER TABLE image ADD COLUMN folder TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE image ADD COLUMN origin TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE image ADD COLUMN n_segments INTEGER NOT NULL DEFAULT 0",  # -1: not known
        "ALTER TABLE image ADD COLUMN model TEXT NOT NULL DEFAULT ''",  # of the last proposal
        "ALTER TABLE image ADD COLUMN held_out INTEGER",  # NULL for not decided
        "ALTER TABLE image ADD COLUMN expected_work REAL",  # NULL for not known
        """UPDATE image SET
            folder = folder_of(path, frame),
            origin = origin_of(path, frame),
            n_segments = iif(position > 0, -1, 0),
            verdict = iif(review = 'open', '', review),
            verdict_at = iif(review = 'open', 0, position),
            review = iif(review <> 'open', review, iif(position > 0, 'in work', 'empty'))""",
        _SUM_UP.format(_IMAGE_3),
        "DROP TABLE sound",
        "CREATE INDEX image_group ON image (folder, origin)",
        "CREATE INDEX image_uncounted ON image (id) WHERE n_segments < 0",
        """CREATE INDEX image_undecided ON image (id)
            WHERE review = 'approved' AND held_out IS NULL""",
    ),
    (
        # Edits of several images that are one step of undo have one number.
        """CREATE TABLE joint_edit (
            image_id INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            step INTEGER NOT NULL,
            PRIMARY KEY (image_id, seq),
            FOREIGN KEY (image_id, seq) REFERENCES edit (image_id, seq) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX joint_step ON joint_edit (step)",
    ),
    (
        # The paper's td; NULL for not known, as in a row of an earlier version.
        "ALTER TABLE author ADD COLUMN time_delta REAL",
        "DROP INDEX author_all",
        """CREATE UNIQUE INDEX author_all ON author
            (kind, model, coalesce(seed, -1), coalesce(steps, -1), coalesce(time_delta, -1))""",
    ),
)

# What the checksum of a row covers, in this order. What a later version has added comes last,
# and is NULL in a row that it has not touched, which then has its old checksum.
COLUMNS: Final = {
    "setting": "name, value",
    "category": "id, place, name, is_thing, color, supercategory, hotkey",
    "image": _IMAGE_3,
    "edit": "image_id, seq, label, n_pixels, payload, author_id",
    "snapshot": "image_id, seq, payload",
    "author": "id, kind, model, seed, steps, time_delta",
    "provenance": "image_id, seq, authors, payload",
    "model_version": "id, name, path, sha256, data_hash, n_images, parent, scores, created",
    "correction": "id, image_id, seq, author_id, n_pixels, n_segments, n_gestures, active_ms, "
    "approved_at",
}
