-- Keys and rules of editions that Django has no form for.

-- What was sealed, with its year, so that an edition can name all three at once.
ALTER TABLE closing_snapshotrecord ADD CONSTRAINT closing_snapshotrecord_whole UNIQUE (digest, kind, year);
ALTER TABLE publication_edition ADD CONSTRAINT publication_edition_snapshot_exists
    FOREIGN KEY (snapshot, snapshot_kind, year) REFERENCES closing_snapshotrecord (digest, kind, year);
-- The digest people sign is that of the text.
ALTER TABLE publication_edition ADD CONSTRAINT publication_edition_digest_is_of_content
    CHECK (digest = encode(sha256(convert_to(content, 'UTF8')), 'hex'));

-- A step names the digest of its edition, and stands on the step before.
ALTER TABLE publication_editionstep ADD CONSTRAINT publication_editionstep_of_this_digest
    FOREIGN KEY (edition_id, digest) REFERENCES publication_edition (id, digest);
ALTER TABLE publication_editionstep ADD CONSTRAINT publication_editionstep_follows
    FOREIGN KEY (edition_id, follows) REFERENCES publication_editionstep (edition_id, step);

-- Errata are to signed editions, and their approval knows whom it must differ from.
ALTER TABLE publication_erratum ADD CONSTRAINT publication_erratum_edition_signed
    FOREIGN KEY (edition_id, edition_state) REFERENCES publication_editionstep (edition_id, step);
ALTER TABLE publication_erratumapproval ADD CONSTRAINT publication_erratumapproval_of_author
    FOREIGN KEY (erratum_id, author_id) REFERENCES publication_erratum (id, by_id);
