-- What makes contacts findable: private.contact_search, kept by triggers, and the patterns of a search. Called by the list, selections and
-- the inbox.
-- Must stay true: contact_search has one row for every contact outside the trash, with its present text; an update that changes none of the
-- searched columns (every inbound message) never touches it.

create or replace function private.contact_search_text(p_search_text text, p_wa_id text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select ' ' || p_search_text || coalesce(' ' || p_wa_id, '') $$;

create or replace function private.add_to_search()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    insert into private.contact_search (org_id, contact_id, created_at, search_text)
    select c.org_id, c.id, c.created_at, private.contact_search_text(c.search_text, c.wa_id) from new_contacts c where c.deleted_at is null;
    return null;
end
$$;

create or replace function private.follow_in_search()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    if new.deleted_at is not null then
        delete from private.contact_search s where s.org_id = new.org_id and s.contact_id = new.id;
    else
        insert into private.contact_search (org_id, contact_id, created_at, search_text)
        values (new.org_id, new.id, new.created_at, private.contact_search_text(new.search_text, new.wa_id))
        on conflict (org_id, contact_id) do update set search_text = excluded.search_text, created_at = excluded.created_at;
    end if;
    return null;
end
$$;

create or replace function private.take_from_search()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    delete from private.contact_search s using old_contacts c where s.org_id = c.org_id and s.contact_id = c.id;
    return null;
end
$$;

create or replace trigger contacts__take_from_search after delete on public.contacts
    referencing old table as old_contacts for each statement execute function private.take_from_search();
create or replace trigger contacts__add_to_search after insert on public.contacts
    referencing new table as new_contacts for each statement execute function private.add_to_search();
create or replace trigger contacts__follow_in_search after update on public.contacts
    for each row when (
        old.search_text is distinct from new.search_text or old.wa_id is distinct from new.wa_id or old.created_at <> new.created_at
        or (old.deleted_at is null) <> (new.deleted_at is null))
    execute function private.follow_in_search();

-- The digits as they stand in a stored number: with the country's code where the organisation writes a leading zero. A fragment is filled
-- up to a number that is valid there, and what was filled in is taken off again.
create or replace function private.stored_digits(p_org_id uuid, p_digits text)
returns text
language plpgsql stable
set search_path = ''
as $$
declare
    v_country text;
    v_phone text;
begin
    if p_digits like '00%' then
        return '+' || ltrim(p_digits, '0');
    end if;
    if p_digits not like '0%' then
        return p_digits;
    end if;
    select o.country into v_country from public.organizations o where o.id = p_org_id;
    for i in 0..10 loop
        v_phone := octopush.normalize_phone(p_digits || left('3456789012', i), v_country);
        if v_phone is not null then
            return left(v_phone, length(v_phone) - i);
        end if;
    end loop;
    return ltrim(p_digits, '0');
end
$$;

-- Every word must be found; a word is found by any of its patterns. null: the search says nothing. Words of one and two letters are looked
-- for where words begin, because an index of three-letter pieces can find nothing shorter.
create or replace function private.search_patterns(p_org_id uuid, p_search text)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_search text := lower(btrim(left(p_search, 200), E' \t\r\n'));
    v_words text[];
    v_word text;
    v_digits text;
    v_patterns text[];
    v_result jsonb;
begin
    -- A number may be written with blanks and brackets.
    if v_search ~ '^[0-9+()./ -]+$' and length(regexp_replace(v_search, '\D', '', 'g')) >= 3 then
        v_words := array[v_search];
    else
        v_words := (regexp_split_to_array(v_search, '\s+'))[1:8];
    end if;
    foreach v_word in array coalesce(v_words, '{}') loop
        v_word := ltrim(v_word, '@');
        v_digits := regexp_replace(v_word, '\D', '', 'g');
        v_patterns := array[replace(replace(replace(v_word, '\', '\\'), '%', '\%'), '_', '\_')];
        if v_word = '' then
            continue;
        elsif v_word ~ '^[0-9+()./ -]+$' and length(v_digits) >= 3 then
            if v_word like '+%' then
                v_digits := '+' || v_digits;
            end if;
            v_patterns := array['%' || v_digits || '%', '%' || private.stored_digits(p_org_id, v_digits) || '%'];
            if v_patterns[1] = v_patterns[2] then
                v_patterns := v_patterns[1:1];
            end if;
        elsif length(v_word) < 3 then
            v_patterns := array['% ' || v_patterns[1] || '%'] || case when v_digits = v_word then array['% +' || v_digits || '%'] else '{}' end;
        else
            v_patterns := array['%' || v_patterns[1] || '%'];
        end if;
        v_result := coalesce(v_result, '[]') || jsonb_build_array(to_jsonb(v_patterns));
    end loop;
    return v_result;
end
$$;
