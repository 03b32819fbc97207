-- What customers and agents of the demo say to each other: one script an errand, side c for the customer, a for an agent, n for an
-- internal note. Read by 40_inbox.sql in the same transaction.

create temporary table demo_scripts (
    script integer not null,
    seq integer not null,
    side text not null,
    type text not null default 'text',
    body text,
    payload jsonb,
    primary key (script, seq)
) on commit drop;

insert into demo_scripts (script, seq, side, type, body, payload) values
    (0, 1, 'c', 'text', 'Hi, do you still have the kaya gift box? 😊', null),
    (0, 2, 'a', 'text', 'Hi! Yes, the box of six is RM 48, the box of twelve RM 88.', null),
    (0, 3, 'c', 'text', 'Can I get 3 boxes of six by Saturday?', null),
    (0, 4, 'a', 'text', 'Sure. Pick-up in Petaling Jaya or delivery? Delivery within the Klang Valley is RM 10.', null),
    (0, 5, 'c', 'location', null, '{"latitude": 3.1073, "longitude": 101.6067, "name": "Home", "address": "Jalan Kenanga 4, Petaling Jaya"}'),
    (0, 6, 'a', 'text', 'Thank you! Saturday 10–12 works. Total RM 154.', null),
    (0, 7, 'c', 'text', 'Great, thanks 🙏', null),

    (1, 1, 'c', 'text', 'Salam, boleh tempah kuih untuk 50 orang hari Jumaat ni?', null),
    (1, 2, 'a', 'text', E'Waalaikumsalam! Boleh. Pilihan kami:\n1. Set A – RM 6 seorang (3 jenis kuih)\n2. Set B – RM 9 seorang (5 jenis + kopi)', null),
    (1, 3, 'c', 'text', 'Set B ya. Ada sijil halal?', null),
    (1, 4, 'a', 'document', 'Sijil halal kami', '{"id": "demo-media-halal", "mime_type": "application/pdf", "filename": "sijil-halal.pdf", "caption": "Sijil halal kami"}'),
    (1, 5, 'c', 'text', 'Terima kasih. Saya confirm petang nanti.', null),
    (1, 6, 'n', 'note', 'Deposit belum dibayar, tanya semula esok pagi.', null),

    (2, 1, 'c', 'text', 'My order #2417 arrived and two of the jars are broken 😞', null),
    (2, 2, 'c', 'image', 'See here', '{"id": "demo-media-jars", "mime_type": "image/jpeg", "caption": "See here"}'),
    (2, 3, 'a', 'text', 'Oh no, so sorry about that! We will send two new jars today, free of charge. Is the address the same?', null),
    (2, 4, 'c', 'text', 'Yes same address. Thank you for the fast reply!', null),
    (2, 5, 'n', 'note', 'Second broken delivery from this courier this month. Tell the warehouse to pack in foam.', null),
    (2, 6, 'a', 'text', 'The courier has it, it should arrive tomorrow before 2 pm.', null),

    (3, 1, 'c', 'text', '请问星期天有开吗？', null),
    (3, 2, 'a', 'text', '有的，星期天早上 8 点到下午 4 点。', null),
    (3, 3, 'c', 'text', '好的，我要订一个生日蛋糕，可以写字吗？', null),
    (3, 4, 'a', 'text', '可以，请告诉我们要写什么 🎂', null),
    (3, 5, 'c', 'text', '“婆婆生日快乐”，谢谢', null),

    (4, 1, 'c', 'audio', null, '{"id": "demo-media-voice", "mime_type": "audio/ogg; codecs=opus", "voice": true}'),
    (4, 2, 'a', 'text', 'Hi! We listened to your message: yes, we can cater vegetarian for 20 people. Shall I send the menu?', null),
    (4, 3, 'c', 'text', 'Yes please', null),
    (4, 4, 'a', 'document', 'Vegetarian menu', '{"id": "demo-media-menu", "mime_type": "application/pdf", "filename": "vegetarian-menu.pdf", "caption": "Vegetarian menu"}'),
    (4, 5, 'c', 'text', 'Looks good. How much for 20 pax?', null),

    (5, 1, 'c', 'text', 'Do you supply beans wholesale? We run a small café in Ipoh.', null),
    (5, 2, 'a', 'text', 'We do: from 10 kg a month, RM 42/kg for the house blend, RM 55/kg for the Liberica. First samples are free.', null),
    (5, 3, 'c', 'text', 'Nice, could you send 200 g of each?', null),
    (5, 4, 'c', 'contacts', null, '{"contacts": [{"name": {"formatted_name": "Kah Wai (barista)"}, "phones": [{"phone": "+60120009901"}]}]}'),
    (5, 5, 'a', 'text', 'Samples go out on Monday, I will message Kah Wai with the tracking number.', null),
    (5, 6, 'c', 'text', 'Perfect 👍', null),

    (6, 1, 'c', 'text', 'Boleh saya tukar tarikh tempahan ke 14 hb?', null),
    (6, 2, 'a', 'text', 'Boleh, tiada masalah. Kami dah tukar ke 14 hb, jam sama.', null),
    (6, 3, 'c', 'text', 'Terima kasih banyak2', null),
    (6, 4, 'c', 'sticker', null, '{"id": "demo-media-sticker", "mime_type": "image/webp", "animated": false}'),

    (7, 1, 'c', 'text', 'Hello is anyone there??', null),
    (7, 2, 'c', 'text', 'I paid for the Raya hamper last week and have not heard anything', null),
    (7, 3, 'c', 'image', 'Payment slip', '{"id": "demo-media-slip", "mime_type": "image/jpeg", "caption": "Payment slip"}'),
    (7, 4, 'a', 'text', 'Hi, sorry for the silence. The payment is here, and the hamper leaves tomorrow morning. I will send the tracking number myself.', null),
    (7, 5, 'c', 'text', 'OK. Please do, it is a gift for my boss', null),
    (7, 6, 'n', 'note', 'Refund the delivery fee if it is late again. @admin knows.', null),
    (7, 7, 'a', 'text', 'Tracking: https://track.example.test/MY2417093', null),

    (8, 1, 'c', 'interactive', 'Book a table', '{"type": "button_reply", "button_reply": {"id": "book", "title": "Book a table"}}'),
    (8, 2, 'a', 'text', 'With pleasure! For how many people, and when?', null),
    (8, 3, 'c', 'text', '6 people, Sunday 11am, near the window if possible', null),
    (8, 4, 'a', 'text', 'Booked: Sunday 11:00, table for 6 by the window. See you!', null),
    (8, 5, 'c', 'text', 'Yay thanks', null),

    (9, 1, 'c', 'text', 'வணக்கம், கேக் டெலிவரி செய்வீர்களா?', null),
    (9, 2, 'a', 'text', 'வணக்கம்! ஆம், கிள்ளான் பள்ளத்தாக்கு முழுவதும் டெலிவரி உண்டு. Minimum order RM 60.', null),
    (9, 3, 'c', 'text', 'Ok, 1 kg pandan cake for Friday please', null),
    (9, 4, 'a', 'text', 'Noted: pandan cake 1 kg, Friday before noon, RM 78 with delivery. Shall I confirm?', null),
    (9, 5, 'c', 'text', 'Confirm 👌', null),

    (10, 1, 'c', 'order', null, '{"catalog_id": "demo", "text": "Please pack separately", "product_items": [{"product_retailer_id": "kaya-6", "quantity": 2, "item_price": 48, "currency": "MYR"}, {"product_retailer_id": "beans-1kg", "quantity": 1, "item_price": 55, "currency": "MYR"}]}'),
    (10, 2, 'a', 'text', 'Thank you for the order! RM 151 in total. Shall we deliver to the office again?', null),
    (10, 3, 'c', 'text', 'Yes, the usual place, ask for Priya at reception', null),
    (10, 4, 'a', 'text', 'Will do. It arrives tomorrow between 9 and 11.', null),

    (11, 1, 'c', 'text', 'what time close today', null),
    (11, 2, 'a', 'text', 'We close at 10 pm today, last order 9:30.', null),
    (11, 3, 'c', 'text', 'k', null),

    (12, 1, 'c', 'text', 'I would like to give some feedback. We came on Saturday with the whole family, three generations, eleven people. The food was wonderful as always, especially the nasi lemak and the kuih talam, but we waited forty minutes for the drinks and my mother''s coffee came cold twice. The young man who served us apologised very nicely and it is not his fault, you were clearly short of staff. I am not asking for anything, I only want you to know, because we will come again.', null),
    (12, 2, 'a', 'text', 'Thank you for taking the time to write this, it helps us a lot. You are right, two colleagues were ill that day, and we should have said so at the door. The next round of coffee for all eleven is on us: just mention this message.', null),
    (12, 3, 'c', 'text', 'That is very kind. See you soon!', null),

    (13, 1, 'c', 'video', 'Look how happy the kids are 😂', '{"id": "demo-media-video", "mime_type": "video/mp4", "caption": "Look how happy the kids are 😂"}'),
    (13, 2, 'a', 'text', 'That made our day! ❤️ May we share it on our page?', null),
    (13, 3, 'c', 'text', 'Sure', null);
