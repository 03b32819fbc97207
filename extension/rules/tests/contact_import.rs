//! Files of contacts of every kind, good and bad.

use octopush_rules::contact_import::batch::{Batch, Duplicates};
use octopush_rules::contact_import::lines::{Lines, MAX_LINE_BYTES, Step, all_lines};
use octopush_rules::contact_import::row::RowReader;
use octopush_rules::contact_import::spreadsheet::{neutralise, restore, write_line};
use octopush_rules::contact_import::text::{Decoder, Encoding};
use octopush_rules::contact_import::{check_import_spec, read_import_head, read_import_row};
use proptest::prelude::*;
use serde_json::{Value, json};

fn head(text: &str) -> Value {
    read_import_head(text.as_bytes(), &json!({}))
}

fn suggestions(header: &str) -> Vec<Option<String>> {
    let found = read_import_head(
        format!("{header}\n0123456789").as_bytes(),
        &json!({ "has_header": true, "delimiter": ",", "custom_fields": [{ "key": "shoe", "label": "Shoe size", "type": "number" }] }),
    );
    let columns = found["columns"].as_array().unwrap().iter();
    columns
        .map(|column| column["suggested"].as_str().map(str::to_owned))
        .collect()
}

fn row(spec: Value, cells: &[&str]) -> Value {
    let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
    read_import_row(&spec, &cells)
}

/// One column beside the phone.
fn field(field: &str, definition: Value, cell: &str) -> Value {
    let spec = json!({
        "columns": [{ "index": 0, "field": "phone" }, { "index": 1, "field": field }],
        "default_region": "MY", "custom_fields": [definition]
    });
    row(spec, &["0123456789", cell])
}

#[test]
fn headers_in_english_and_malay_are_recognised() {
    let names = |expected: &[&str]| {
        expected
            .iter()
            .map(|name| Some((*name).to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        suggestions("Phone Number,Full Name,E-mail,Company,Job Title,Tags"),
        names(&["phone", "full_name", "email", "company", "job_title", "tags"])
    );
    assert_eq!(
        suggestions("No. Telefon,Nama,Emel,Syarikat,Jawatan,Tarikh Lahir,Bandar,Poskod"),
        names(&[
            "phone",
            "full_name",
            "email",
            "company",
            "job_title",
            "birthday",
            "address.city",
            "address.zip"
        ])
    );
    assert_eq!(
        suggestions("First Name,Last Name,mobile,shoe_size,phone"),
        [
            Some("full_name".into()),
            Some("full_name".into()),
            Some("phone".into()),
            Some("custom.shoe".into()),
            None
        ]
    );
}

#[test]
fn delimiters_and_headers_are_found() {
    for (text, delimiter, has_header) in [
        ("phone,name\n0123456789,A\n", ",", true),
        ("telefon;nama\n0123456789;\"A,B\"\n0123456780;C\n", ";", true),
        ("0123456789\tA\n0123456780\tB\n", "\t", false),
        ("wert|menge\n1,5|2\n3,5|4\n", "|", true),
        ("sep=;\nphone;name\n0123456789;A\n", ";", true),
        ("0123456789\n0123456780\n", ",", false),
    ] {
        let found = head(text);
        assert_eq!(
            (&found["delimiter"], &found["has_header"]),
            (&json!(delimiter), &json!(has_header)),
            "{text:?} {found}"
        );
    }
}

#[test]
fn columns_without_names_of_their_own_get_one() {
    let found = head("phone,,name,name\n0123456789,x,A,B\n");
    let names: Vec<_> = found["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].clone())
        .collect();
    assert_eq!(names, ["phone", "Column 2", "name", "name (2)"]);
    let wide = (0..300).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let found = head(&format!("{wide}\n{wide}\n"));
    assert_eq!(found["columns"].as_array().unwrap().len(), 300);
    let too_wide = ",".repeat(1001);
    assert!(head(&format!("{too_wide}\n")).get("problem").is_some());
}

#[test]
fn what_is_no_table_is_said_to_be_none() {
    for (bytes, part) in [
        (&b""[..], "empty"),
        (b"\xEF\xBB\xBF\r\n", "empty"),
        (b"phone,name\r\n", "no rows"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"%PDF-1.7", "PDF"),
        (b"\xD0\xCF\x11\xE0\xA1", "old Excel"),
        (b"\0\x01\x02\x03\0\x01\x02\x03a", "not a text file"),
    ] {
        let found = read_import_head(bytes, &json!({}));
        assert!(
            found["problem"]
                .as_str()
                .is_some_and(|problem| problem.contains(part)),
            "{part}: {found}"
        );
    }
}

#[test]
fn a_character_cut_by_the_end_of_the_head_is_still_utf8() {
    let bytes = "phone,name\n0123456789,é".as_bytes();
    assert_eq!(Encoding::detect(&bytes[..bytes.len() - 1], false), Encoding::Utf8);
    assert_eq!(
        Encoding::detect(&bytes[..bytes.len() - 1], true),
        Encoding::Windows1252
    );
}

#[test]
fn lines_keep_the_numbers_a_text_editor_shows() {
    let found = all_lines(b"a,b\r\n\r\n\"x\ny\",1\rc\n\n\nd", b',', Encoding::Utf8);
    let numbers: Vec<u64> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(numbers, [1, 3, 5, 8]);
    assert_eq!(found[1].1, ["x\ny", "1"]);
}

#[test]
fn a_stray_quote_costs_one_line() {
    let mut lines = Lines::new(b',', Encoding::Utf8);
    lines.push().extend_from_slice(b"a,1\nb,\"open\nc,3\nd,4\n");
    lines.finish();
    let steps: Vec<Step> = std::iter::from_fn(|| match lines.next() {
        Step::End => None,
        step => Some(step),
    })
    .collect();
    let line = |number: u64, cells: [&str; 2]| Step::Line(number, cells.map(str::to_owned).to_vec());
    assert_eq!(
        steps,
        [
            line(1, ["a", "1"]),
            Step::Broken(2, "b,\"open".into()),
            line(3, ["c", "3"]),
            line(4, ["d", "4"])
        ]
    );
}

#[test]
fn a_cell_of_ten_megabytes_is_refused_in_bounded_memory() {
    for quote in ["", "\""] {
        let mut lines = Lines::new(b',', Encoding::Utf8);
        let mut steps = Vec::new();
        let pieces = std::iter::once(format!("a,{quote}"))
            .chain((0..160).map(|_| "x".repeat(65_536)))
            .chain(std::iter::once(format!("{quote}\nb,2\n")));
        for piece in pieces {
            let buffer = lines.push();
            buffer.extend_from_slice(piece.as_bytes());
            assert!(buffer.len() <= MAX_LINE_BYTES + 2 * 65_536);
            loop {
                match lines.next() {
                    Step::NeedsMore => break,
                    step => steps.push(step),
                }
            }
        }
        lines.finish();
        assert!(
            matches!(&steps[..], [Step::Broken(1, _), Step::Line(2, cells)] if cells[0] == "b"),
            "{steps:?}"
        );
        assert_eq!(lines.next(), Step::End);
    }
}

#[test]
fn a_line_of_another_encoding_does_not_spoil_the_file() {
    let found = all_lines(b"\xC3\xA9,1\n\xE9,2\n", b',', Encoding::Utf8);
    assert_eq!((found[0].1[0].as_str(), found[1].1[0].as_str()), ("é", "é"));
}

#[test]
fn phones_are_numbers_or_refused_in_words() {
    let spec = json!({ "columns": [{ "index": 0, "field": "phone" }], "default_region": "MY" });
    for (cell, phone) in [
        ("012-345 6789", "+60123456789"),
        ("'+60123456789", "+60123456789"),
        ("60123456789", "+60123456789"),
        ("60123456789.0", "+60123456789"),
        ("+65 9123 4567", "+6591234567"),
    ] {
        assert_eq!(row(spec.clone(), &[cell])["values"]["phone"], phone, "{cell}");
    }
    for (cell, part) in [
        ("6.01235E+10", "shortened"),
        ("0800-CALL", "not a phone number"),
        ("", "missing"),
        ("\0", "missing"),
    ] {
        let read = row(spec.clone(), &[cell]);
        assert!(
            read["problems"][0]["message"].as_str().unwrap().contains(part),
            "{cell} {read}"
        );
    }
}

#[test]
fn cells_become_what_their_column_is() {
    let number = json!({ "key": "n", "label": "N", "type": "number" });
    for (cell, value) in [
        ("1,234.50", "1234.5"),
        ("RM 99", "99"),
        ("1.234,5", "1234.5"),
        ("1,5", "1.5"),
        ("(12)", "-12"),
        ("-3", "-3"),
    ] {
        assert_eq!(
            field("custom.n", number.clone(), cell)["values"]["custom_fields"]["n"].to_string(),
            value,
            "{cell}"
        );
    }
    let boolean = json!({ "key": "b", "label": "B", "type": "boolean" });
    for (cell, value) in [("Ya", true), ("TIDAK", false), ("yes", true), ("0", false)] {
        assert_eq!(
            field("custom.b", boolean.clone(), cell)["values"]["custom_fields"]["b"],
            value,
            "{cell}"
        );
    }
    let choices =
        json!({ "key": "c", "label": "C", "type": "multi_choice", "options": ["Tea, hot", "Milk"] });
    assert_eq!(
        field("custom.c", choices.clone(), "Tea, hot")["values"]["custom_fields"]["c"],
        json!(["Tea, hot"])
    );
    assert_eq!(
        field("custom.c", choices, "milk; Milk")["values"]["custom_fields"]["c"],
        json!(["Milk"])
    );
    for (order, cell, date) in [
        ("dmy", "03/04/1990", "1990-04-03"),
        ("mdy", "03/04/1990", "1990-03-04"),
        ("dmy", "1990-04-03 00:00:00", "1990-04-03"),
        ("dmy", "3 Ogos 90", "1990-08-03"),
        ("dmy", "29.02.2024", "2024-02-29"),
    ] {
        let spec = json!({ "columns": [{ "index": 0, "field": "phone" }, { "index": 1, "field": "birthday" }], "default_region": "MY", "date_order": order });
        assert_eq!(
            row(spec, &["0123456789", cell])["values"]["birthday"],
            date,
            "{order} {cell}"
        );
    }
    for (name, cell) in [
        ("email", "a@b"),
        ("birthday", "31/02/2020"),
        ("custom.n", "many"),
        ("lifecycle_stage", "vip"),
    ] {
        let read = field(name, number.clone(), cell);
        assert_eq!(read["problems"][0]["field"], name, "{read}");
    }
    assert_eq!(
        field("tags", number, "VIP, vip; New")["values"]["tags"],
        json!(["VIP", "New"])
    );
}

#[test]
fn a_mapping_must_make_sense() {
    let problems = |columns: Value| {
        check_import_spec(&json!({ "columns": columns, "width": 3 }))
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(problems(json!([{ "index": 0, "field": "phone" }])), 0);
    for columns in [
        json!([]),
        json!([{ "index": 0, "field": "email" }]),
        json!([{ "index": 0, "field": "phone" }, { "index": 0, "field": "email" }]),
        json!([{ "index": 0, "field": "phone" }, { "index": 1, "field": "phone" }]),
        json!([{ "index": 3, "field": "phone" }]),
        json!([{ "index": 0, "field": "phone" }, { "index": 1, "field": "custom.none" }]),
        json!([{ "index": 0, "field": "phone", "surprise": 1 }]),
        json!("phone"),
    ] {
        assert!(problems(columns.clone()) > 0, "{columns}");
    }
}

#[test]
fn a_batch_has_every_phone_once() {
    let spec = json!({ "columns": [{ "index": 0, "field": "phone" }, { "index": 1, "field": "full_name" }, { "index": 2, "field": "tags" }], "default_region": "MY" });
    let reader = RowReader::new(&spec).unwrap();
    for (duplicates, name, tags) in [
        (Duplicates::Skip, "First", json!(["a"])),
        (Duplicates::Update, "Second", json!(["a", "b"])),
    ] {
        let mut batch = Batch::new(duplicates);
        for (line, cells) in [
            ["0123456789", "First", "a"],
            ["+60123456789", "Second", "b,A"],
            ["x", "Third", ""],
        ]
        .into_iter()
        .enumerate()
        {
            let cells = cells.map(str::to_owned);
            batch.add(line as u64 + 2, &cells, reader.read(&cells));
        }
        assert_eq!(batch.len(), 3);
        let lines = batch.take();
        assert_eq!(lines.as_array().unwrap().len(), 2);
        assert_eq!(
            (
                &lines[0]["full_name"],
                &lines[0]["tags"],
                &lines[0]["also"][0]["line"]
            ),
            (&json!(name), &tags, &json!(3))
        );
        assert!(lines[1]["problem"].is_string() && batch.is_empty());
    }
}

#[test]
fn formulas_are_harmless_and_come_back_as_they_were() {
    for cell in ["=1+1", "+1 is", "-", "@x", "\tx", "＝1", "'=1", "''-"] {
        let safe = neutralise(cell);
        assert!(safe.starts_with('\''), "{cell}");
        assert_eq!(restore(&safe), cell);
    }
    for cell in ["+60123456789", "O'Neil", "'quoted'", ""] {
        assert_eq!(neutralise(cell), cell);
        assert_eq!(restore(cell), cell);
    }
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_fail(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let found = read_import_head(&bytes, &json!({}));
        prop_assert!(found.get("problem").is_some() != found.get("columns").is_some());
    }

    #[test]
    fn pieces_make_no_difference(
        text in "([a-z\"é,;\r\n]{0,3}){0,40}", cuts in prop::collection::vec(0usize..120, 0..6), wide in any::<bool>()
    ) {
        let encoding = if wide { Encoding::Utf16Le } else { Encoding::Utf8 };
        let bytes: Vec<u8> = if wide { text.encode_utf16().flat_map(u16::to_le_bytes).collect() } else { text.clone().into_bytes() };
        let read = |cuts: &[usize]| {
            let (mut lines, mut decoder) = (Lines::new(b',', encoding), Decoder::new(encoding));
            let mut found = Vec::new();
            let mut from = 0;
            for cut in cuts.iter().map(|cut| (*cut).min(bytes.len())).chain([bytes.len()]) {
                decoder.push(&bytes[from..cut], false, lines.push());
                from = cut;
                loop {
                    match lines.next() { Step::NeedsMore | Step::End => break, step => found.push(step) }
                }
            }
            decoder.push(&[], true, lines.push());
            lines.finish();
            loop {
                match lines.next() { Step::End | Step::NeedsMore => return found, step => found.push(step) }
            }
        };
        let mut sorted = cuts.clone();
        sorted.sort_unstable();
        sorted.dedup();
        prop_assert_eq!(read(&sorted), read(&[]));
    }

    #[test]
    fn what_is_written_is_read_back(cells in prop::collection::vec("[ -~é\n'=+@-]{0,12}", 1..6)) {
        let mut out = Vec::new();
        write_line(&mut out, cells.iter().map(String::as_str));
        let lines = all_lines(&out, b',', Encoding::Utf8);
        if cells.iter().any(|cell| !cell.is_empty()) || cells.len() > 1 {
            prop_assert_eq!(lines.len(), 1);
            let back: Vec<&str> = lines[0].1.iter().map(|cell| restore(cell)).collect();
            prop_assert_eq!(back, cells.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
