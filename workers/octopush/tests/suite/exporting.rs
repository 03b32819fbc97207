//! Exports, and changes of many contacts.

use super::fixture::Database;
use super::storage::{Storage, administration, call, import, job_is};
use serde_json::json;

#[tokio::test]
async fn what_was_exported_and_imported_again_is_the_same() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let worker = storage.worker(&database, &[]).await;
    let fill = format!(
        r#"
        insert into public.custom_field_definitions (org_id, key, label, type, options) values
            ('{0}', 'points', 'Points', 'number', '{{}}'), ('{0}', 'vip', 'Is VIP', 'boolean', '{{}}'), ('{0}', 'since', 'Since', 'date', '{{}}'),
            ('{0}', 'likes', 'Likes', 'multi_choice', '{{"Tea, hot",Coffee}}'), ('{0}', 'level', 'Level', 'choice', '{{Gold,Silver}}');
        insert into public.tags (org_id, name) values ('{0}', 'One'), ('{0}', 'Two');
        insert into public.contacts (org_id, phone, full_name, email, company, job_title, notes, birthday, lifecycle_stage, address, custom_fields) values
            ('{0}', '+60121000001', '=1+1', 'a@example.com', '@corp', '-', E'line one\nline "two"', '1990-02-28', 'customer',
                '{{"street": "1, Jalan", "city": "KL", "state": "WP", "country": "MY", "zip": "01234"}}',
                '{{"points": 12.5, "vip": true, "since": "2024-02-29", "likes": ["Tea, hot"], "level": "Gold"}}'),
            ('{0}', '+6591234567', '''=quoted', null, null, null, '+60 is a prefix', null, 'lead', null, '{{"vip": false, "points": -3}}'),
            ('{0}', '+60121000003', 'Ségolène; 李', null, '  ', null, null, null, 'lead', null, '{{}}');
        insert into public.contact_tags (org_id, contact_id, tag_id)
            select c.org_id, c.id, t.id from public.contacts c, public.tags t where c.phone = '+60121000001';
        "#,
        organisation.org_id
    );
    database.admin.batch_execute(&fill).await.unwrap();
    let state = "select jsonb_agg(jsonb_build_object('p', c.phone, 'n', c.full_name, 'e', c.email, 'c', nullif(btrim(c.company), ''), 'j', c.job_title,
            'o', c.notes, 'b', c.birthday, 'l', c.lifecycle_stage, 'a', c.address, 'f', c.custom_fields,
            't', (select jsonb_agg(t.name order by t.name) from public.contact_tags ct join public.tags t on t.id = ct.tag_id where ct.contact_id = c.id)
        ) order by c.phone)::text from public.contacts c";
    let before = database.text(state).await.unwrap();

    let sql = format!("public.create_export('{}', '{{}}')", organisation.org_id);
    let created = call(&database, &organisation, &sql).await.unwrap();
    let done = job_is(&database, created["id"].as_str().unwrap(), &["done", "failed"]).await;
    assert_eq!(done["result"]["rows"], 3, "{done}");
    let file = storage.get(done["result"]["path"].as_str().unwrap()).await;
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(text.starts_with("\u{FEFF}Phone,Name,"), "{text}");
    assert!(text.contains(",'=1+1,") || text.contains("'=1+1"), "{text}");
    assert!(
        !text.contains(",=1+1") && !text.contains(",@corp") && text.contains("\r\n+6591234567,"),
        "{text}"
    );

    database
        .admin
        .batch_execute("delete from public.contacts; delete from public.tags")
        .await
        .unwrap();
    let back = import(&database, &storage, &organisation, file, json!({})).await;
    assert_eq!(
        (&back["result"]["created"], &back["result"]["failed"]),
        (&json!(3), &json!(0)),
        "{back}"
    );
    assert_eq!(database.text(state).await.unwrap(), before);
    worker.stop().await;
}

#[tokio::test]
async fn a_large_change_is_done_in_slices() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let worker = storage.worker(&database, &[]).await;
    let fill = format!(
        "insert into public.contacts (org_id, phone) select '{}', '+6012' || (1000000 + n) from generate_series(1, 2500) n",
        organisation.org_id
    );
    database.admin.batch_execute(&fill).await.unwrap();
    let change = json!({ "action": "set_lifecycle_stage", "stage": "customer" });
    let sql = format!(
        "public.change_contacts('{}', '{{}}', '{change}')",
        organisation.org_id
    );
    let created = call(&database, &organisation, &sql).await.unwrap();
    assert_eq!(created["status"], "queued");
    let done = job_is(&database, created["id"].as_str().unwrap(), &["done", "failed"]).await;
    assert_eq!(
        (&done["done_count"], &done["result"]["changed"]),
        (&json!(2500), &json!(2500)),
        "{done}"
    );
    let changed = "select count(*) from public.contacts where lifecycle_stage = 'customer'";
    assert_eq!(database.count(changed).await, 2500);
    worker.stop().await;
}
