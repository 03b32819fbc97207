-- What messages cost and when the last of them leaves, as far as that is known. Called by launches, rehearsals and the detail page.
-- Must stay true: an estimate is made of the ledger itself, so that it counts whom the launch counts.

-- Country codes of phone numbers (ITU-T E.164) by country (ISO 3166-1). Countries that share a code share its price.
create or replace function private.calling_codes()
returns table (country text, code text)
language sql immutable
set search_path = ''
as $$
    select split_part(x, ' ', 1), split_part(x, ' ', 2) from unnest(string_to_array(
        'AE 971,AF 93,AG 1268,AI 1264,AL 355,AM 374,AO 244,AR 54,AS 1684,AT 43,AU 61,AW 297,AZ 994,BA 387,BB 1246,BD 880,BE 32,BF 226,BG 359,BH 973,'
        'BI 257,BJ 229,BM 1441,BN 673,BO 591,BR 55,BS 1242,BT 975,BW 267,BY 375,BZ 501,CA 1,CD 243,CF 236,CG 242,CH 41,CI 225,CK 682,CL 56,CM 237,'
        'CN 86,CO 57,CR 506,CU 53,CV 238,CW 599,CY 357,CZ 420,DE 49,DJ 253,DK 45,DM 1767,DO 1809,DZ 213,EC 593,EE 372,EG 20,ER 291,ES 34,ET 251,'
        'FI 358,FJ 679,FK 500,FM 691,FO 298,FR 33,GA 241,GB 44,GD 1473,GE 995,GF 594,GH 233,GI 350,GL 299,GM 220,GN 224,GP 590,GQ 240,GR 30,GT 502,'
        'GU 1671,GW 245,GY 592,HK 852,HN 504,HR 385,HT 509,HU 36,ID 62,IE 353,IL 972,IN 91,IO 246,IQ 964,IR 98,IS 354,IT 39,JM 1876,JO 962,JP 81,'
        'KE 254,KG 996,KH 855,KI 686,KM 269,KN 1869,KP 850,KR 82,KW 965,KY 1345,KZ 77,LA 856,LB 961,LC 1758,LI 423,LK 94,LR 231,LS 266,LT 370,LU 352,'
        'LV 371,LY 218,MA 212,MC 377,MD 373,ME 382,MG 261,MH 692,MK 389,ML 223,MM 95,MN 976,MO 853,MP 1670,MQ 596,MR 222,MS 1664,MT 356,MU 230,MV 960,'
        'MW 265,MX 52,MY 60,MZ 258,NA 264,NC 687,NE 227,NG 234,NI 505,NL 31,NO 47,NP 977,NR 674,NU 683,NZ 64,OM 968,PA 507,PE 51,PF 689,PG 675,PH 63,'
        'PK 92,PL 48,PM 508,PR 1787,PS 970,PT 351,PW 680,PY 595,QA 974,RE 262,RO 40,RS 381,RU 7,RW 250,SA 966,SB 677,SC 248,SD 249,SE 46,SG 65,SH 290,'
        'SI 386,SK 421,SL 232,SM 378,SN 221,SO 252,SR 597,SS 211,ST 239,SV 503,SX 1721,SY 963,SZ 268,TC 1649,TD 235,TG 228,TH 66,TJ 992,TK 690,TL 670,'
        'TM 993,TN 216,TO 676,TR 90,TT 1868,TV 688,TW 886,TZ 255,UA 380,UG 256,US 1,UY 598,UZ 998,VC 1784,VE 58,VG 1284,VI 1340,VN 84,VU 678,WF 681,'
        'WS 685,XK 383,YE 967,ZA 27,ZM 260,ZW 263', ',')) x
$$;

-- {"currency", "amount", "messages"} for everybody who is to get a message; null when no prices are set.
create or replace function private.planned_cost(p_campaign public.campaigns)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_prices jsonb := (select s.message_prices from public.campaign_settings s where s.org_id = p_campaign.org_id);
    v_result jsonb;
begin
    if v_prices is null then
        return null;
    end if;
    with groups as materialized (
        -- Five characters hold the plus and the longest country code; there are few of them.
        select left(coalesce(c.phone, '+' || c.wa_id), 5) as head, coalesce(r.variant, 1) as variant, count(*) as messages
        from public.campaign_recipients r join public.contacts c on c.id = r.contact_id
        where r.campaign_id = p_campaign.id and r.status not in ('excluded', 'held_out') group by 1, 2
    ), priced as (
        select g.messages, coalesce((
                select (x.value ->> t.category)::numeric from jsonb_each(v_prices -> 'countries') x
                join private.calling_codes() k on k.country = x.key
                where g.head like '+' || k.code || '%' and x.value ? t.category order by length(k.code) desc limit 1),
            (v_prices #>> array['default', t.category])::numeric, 0) as price
        from groups g
        join public.campaign_variants v on v.campaign_id = p_campaign.id and v.position = g.variant
        join public.templates t on t.id = v.template_id
    )
    select jsonb_build_object('currency', v_prices ->> 'currency', 'amount', coalesce(round(sum(p.messages * p.price), 4), 0), 'messages', coalesce(sum(p.messages), 0))
    into v_result from priced p;
    return v_result;
end
$$;

-- When the last of p_count messages leaves, if the first may at p_from: by the number's rate less the share kept for replies, quiet hours
-- (of p_zone), and what the messaging limit lets go. Null: not within 30 days.
create or replace function private.finish_estimate(
    p_count bigint, p_from timestamptz, p_rate integer, p_quiet_hours jsonb, p_zone text, p_tier_limit integer, p_portfolio text
) returns timestamptz
language plpgsql stable
set search_path = ''
as $$
declare
    v_rate numeric := greatest(p_rate * 7 / 8.0, 1);
    v_at timestamptz := p_from;
    v_left numeric := p_count::numeric;
    v_quiet timestamptz;
    v_end timestamptz;
    -- Five minutes of people each, in a ring of a day.
    v_used numeric[] := array_fill(0::numeric, array[288]);
    v_total numeric := 0::numeric;
    v_slot integer;
    v_now numeric;
begin
    if p_tier_limit is not null then
        select array_agg(coalesce(m.users, 0)::numeric order by s.slot), coalesce(sum(m.users), 0)::numeric into v_used, v_total
        from generate_series(0, 287) s (slot)
        left join (
            select (floor(extract(epoch from m.minute) / 300)::bigint % 288)::integer as slot, sum(m.users) as users from private.portfolio_minutes m
            where m.portfolio = p_portfolio and m.minute > p_from - interval '24 hours' group by 1
        ) m on m.slot = s.slot;
    end if;
    while v_left > 0 and v_at < p_from + interval '30 days' loop
        if p_tier_limit is null then
            v_quiet := private.quiet_until(p_quiet_hours, p_zone, v_at);
            if v_quiet is not null then
                v_at := v_quiet;
                continue;
            end if;
            v_end := coalesce(private.quiet_from(p_quiet_hours, p_zone, v_at), 'infinity');
            v_now := least(v_left, case when v_end = 'infinity' then v_left else extract(epoch from v_end - v_at) * v_rate end);
            v_left := v_left - v_now;
            v_at := v_at + make_interval(secs => (v_now / v_rate)::double precision);
            continue;
        end if;
        v_end := to_timestamp((floor(extract(epoch from v_at) / 300) + 1) * 300);
        -- Most of the time the limit is used up, and nothing more is asked.
        if v_total < p_tier_limit and private.quiet_until(p_quiet_hours, p_zone, v_at) is null then
            v_now := least(v_left, p_tier_limit - v_total, extract(epoch from v_end - v_at) * v_rate);
            v_left := v_left - v_now;
            if v_left <= 0 then
                return v_at + make_interval(secs => (v_now / v_rate)::double precision);
            end if;
            v_slot := (floor(extract(epoch from v_at) / 300)::bigint % 288)::integer + 1;
            v_total := v_total + v_now;
            v_used[v_slot] := v_used[v_slot] + v_now;
        end if;
        v_at := v_end;
        -- A day ago by the clock that begins now: those may be written to again, and make room for others.
        v_slot := (floor(extract(epoch from v_at) / 300)::bigint % 288)::integer + 1;
        v_total := v_total - v_used[v_slot];
        v_used[v_slot] := 0;
    end loop;
    return case when v_left <= 0 then v_at end;
end
$$;
