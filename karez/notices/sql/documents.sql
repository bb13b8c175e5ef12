-- What a document is called, where that must go. Owned by the owner; for the rooms that erase, never called from
-- outside.

-- A name and a title that hold an erased person's give way to neutral ones; how the file's name ends stays, since it
-- says what opens it. The document itself, its file and who recorded it stay. The tally follows, so that only this
-- change fits it. Whether it is there.
CREATE FUNCTION notices_forget_name(p_document bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    was numeric;
    is_now numeric;
BEGIN
    SELECT periods_content(to_jsonb(d)) INTO was FROM notices_document d WHERE id = p_document FOR UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    UPDATE notices_document d SET title = format('document %s', id),
           name = format('document %s', id) || coalesce(lower(substring(name FROM '\.[A-Za-z0-9]{1,5}$')), '')
     WHERE id = p_document RETURNING periods_content(to_jsonb(d)) INTO is_now;
    PERFORM periods_tally_changed('notices_document', is_now - was);
    RETURN true;
END $$;
