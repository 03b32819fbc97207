import { inbox, openConversation } from '../support/inbox';
import { callAs, joinTeam, newTeam } from '../support/people';
import {
  arrivesAt,
  changeCustomer,
  customerWrites,
  newCustomer,
  setFaults,
  timesArrived,
} from '../support/sandbox';
import { expect, failedRequests, signIn, test } from '../support/test';

const HOUR = 3600;
const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

test('when the window is over, the composer says so and why', async ({ page, team }) => {
  const customer = newCustomer('Kavitha Late');
  await customerWrites(team.number, customer, { text: 'Are you there?', timestamp: secondsAgo(25 * HOUR) });
  await signIn(page, team.owner, '/conversations');
  await openConversation(page, customer);

  await expect(page.getByText('24-hour window expired. Send a template to re-engage.')).toBeVisible();
  await expect(inbox(page).box).toHaveCount(0);
  await page.getByRole('button', { name: 'Why?' }).click();
  await expect(page.getByText(/answer freely for 24 hours/)).toBeVisible();

  // A note is for the team and needs no window.
  await page.getByRole('radio', { name: 'Internal note' }).check();
  await page.getByRole('textbox', { name: 'Internal note' }).fill('Call her on Monday');
  await page.getByRole('button', { name: 'Add the note' }).click();
  await expect(page.getByRole('article', { name: /Internal note/ })).toContainText('Call her on Monday');
  expect(await timesArrived(team.number, customer, 'Call her on Monday')).toBe(0);

  // The customer writes again: the box comes back by itself.
  await page.getByRole('radio', { name: 'Reply' }).check();
  await customerWrites(team.number, customer, { text: 'Hello again' });
  await expect(inbox(page).box).toBeVisible();
  await expect(page.getByRole('region', { name: /^Conversation with/ }).getByText(/23 h \d+ min left/)).toBeVisible();
});

test('a window that closes while somebody writes keeps the text', async ({ page, team }) => {
  const customer = newCustomer('Daniel Closing');
  await customerWrites(team.number, customer, { text: 'Quick question', timestamp: secondsAgo(24 * HOUR - 15) });
  await signIn(page, team.owner, '/conversations');
  await openConversation(page, customer);
  await inbox(page).box.fill('Let me look that up');
  await expect(page.getByText('The 24-hour window just closed')).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText('Your unsent text is kept: “Let me look that up”')).toBeVisible();
});

test('drafts wait in their own conversations, also over a reload', async ({ page, team }) => {
  const [first, second] = [newCustomer('Farah First'), newCustomer('Jason Second')];
  await customerWrites(team.number, first, { text: 'One' });
  await customerWrites(team.number, second, { text: 'Two' });
  await signIn(page, team.owner, '/conversations');
  const { box } = inbox(page);

  await openConversation(page, first);
  await box.fill('Half a thought');
  await openConversation(page, second);
  await expect(box).toHaveValue('');
  await page.goBack();
  await expect(page.getByRole('heading', { name: first.name, level: 2 })).toBeVisible();
  await expect(box).toHaveValue('Half a thought');
  await page.reload();
  await expect(box).toHaveValue('Half a thought');
});

test('a message WhatsApp refuses shows the reason and can be sent again', async ({ page, team }) => {
  const customer = newCustomer('Raj Refused');
  await customerWrites(team.number, customer, { text: 'Hi' });
  await changeCustomer(customer, { behaviour: 'fails', fail_code: 131026 });
  await signIn(page, team.owner, '/conversations');
  await openConversation(page, customer);
  const { box, bubble } = inbox(page);
  await box.fill('Can you read this?');
  await box.press('Enter');
  await expect(bubble('Can you read this?')).toContainText('can’t receive it');

  await changeCustomer(customer, { behaviour: 'normal' });
  await bubble('Can you read this?').getByRole('button', { name: 'Retry' }).click();
  await expect(bubble('Can you read this?')).toContainText(/Delivered|Read/);
  await arrivesAt(team.number, customer, 'Can you read this?');
});

test('when the answer of WhatsApp is lost the message waits to be confirmed, and is not doubled', async ({ page, team }) => {
  const customer = newCustomer('Mei Uncertain');
  await customerWrites(team.number, customer, { text: 'Hi' });
  await signIn(page, team.owner, '/conversations');
  await openConversation(page, customer);
  const { box, bubble } = inbox(page);
  await setFaults({ drop_reply_probability: 1 });
  try {
    await box.fill('Exactly once, please');
    await box.press('Enter');
    await expect(bubble('Exactly once, please')).toContainText(/Confirming…|Sent|Delivered|Read/);
  } finally {
    await setFaults({});
  }
  await expect(bubble('Exactly once, please')).toContainText(/Delivered|Read/, { timeout: 30_000 });
  expect(await timesArrived(team.number, customer, 'Exactly once, please')).toBe(1);
});

test('assigning, resolving with undo, and the tabs', async ({ page, team }) => {
  const customer = newCustomer('Nurul Tabs');
  await customerWrites(team.number, customer, { text: 'Hello' });
  await signIn(page, team.owner, '/conversations?tab=unassigned');
  const { row, list } = inbox(page);
  await openConversation(page, customer);

  await page.getByRole('button', { name: 'Assign this conversation' }).click();
  await page.getByRole('menuitem', { name: /\(you\)/ }).click();
  await expect(page.getByText(/Assigned to Priya Raman by Priya Raman/)).toBeVisible();
  await expect(row(customer)).toHaveCount(0);
  await list.getByRole('link', { name: 'Mine' }).click();
  await expect(page).toHaveURL(/tab=mine/);
  await expect(row(customer)).toBeVisible();

  await page.getByRole('button', { name: 'Resolve', exact: true }).click();
  await expect(row(customer)).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(row(customer)).toBeVisible();

  await openConversation(page, customer);
  await page.keyboard.press('e');
  await list.getByRole('link', { name: 'Resolved' }).click();
  await expect(row(customer)).toBeVisible();
  await customerWrites(team.number, customer, { text: 'One more thing' });
  await expect(row(customer)).toHaveCount(0);
});

test('answers quote what they answer, and reactions sit on their message', async ({ page, team }) => {
  const customer = newCustomer('Quentin Quotes');
  await customerWrites(team.number, customer, { text: 'Do you have parking?' });
  await customerWrites(team.number, customer, { text: 'And a lift?' });
  await signIn(page, team.owner, '/conversations');
  await openConversation(page, customer);
  const { box, bubble } = inbox(page);
  await bubble('Do you have parking?').hover();
  await page.getByRole('button', { name: 'Reply to “Do you have parking?”' }).click();
  await expect(page.getByText('Replying to “Do you have parking?”')).toBeVisible();
  await expect(box).toBeFocused();
  await page.keyboard.type('Yes, behind the house.');
  await page.keyboard.press('Enter');
  const answer = bubble('Yes, behind the house.');
  await expect(answer.getByRole('button', { name: /Do you have parking\?/ }).first()).toBeVisible();
  await expect(answer).toContainText(/Delivered|Read/);

  const { id } = await arrivesAt(team.number, customer, 'Yes, behind the house.');
  await customerWrites(team.number, customer, { type: 'reaction', reaction: { message_id: id, emoji: '👍' } });
  await expect(answer.getByText('👍')).toBeVisible();
  await customerWrites(team.number, customer, {
    type: 'reaction',
    reaction: { message_id: id },
    // Meta's times have seconds: taken back later than given.
    timestamp: Math.floor(Date.now() / 1000) + 1,
  });
  await expect(answer.getByText('👍')).toHaveCount(0);
});

test('rows do not move under the pointer', async ({ page, team }) => {
  const [lower, upper] = [newCustomer('Lower Lisa'), newCustomer('Upper Umar')];
  // Meta's times have seconds: what is to be in order must not share one.
  await customerWrites(team.number, lower, { text: 'first', timestamp: secondsAgo(20) });
  await customerWrites(team.number, upper, { text: 'second', timestamp: secondsAgo(10) });
  await signIn(page, team.owner, '/conversations');
  const { row, list } = inbox(page);
  await expect(row(upper)).toBeVisible();
  const topOf = async (customer: typeof lower) => (await row(customer).boundingBox())?.y ?? 0;
  expect(await topOf(upper)).toBeLessThan(await topOf(lower));

  await row(upper).hover();
  await customerWrites(team.number, lower, { text: 'Now I am newer' });
  await expect(list.getByRole('button', { name: '1 new' })).toBeVisible();
  await expect(row(lower)).toContainText('Now I am newer');
  expect(await topOf(upper)).toBeLessThan(await topOf(lower));
  // Nor does the button, when the pointer comes to it.
  await list.getByRole('button', { name: '1 new' }).hover();
  await customerWrites(team.number, lower, { text: 'And newer still' });
  await expect(row(lower)).toContainText('And newer still');
  await list.getByRole('button', { name: '1 new' }).click();
  await expect.poll(async () => (await topOf(lower)) < (await topOf(upper))).toBe(true);
});

test('the keyboard alone is enough', async ({ page }) => {
  // Counting rows with j and k needs an inbox nobody else writes to.
  const team = await newTeam('Keyboard Sdn Bhd');
  const [older, newer] = [newCustomer('Olive Older'), newCustomer('Nina Newer')];
  await customerWrites(team.number, older, { text: 'first', timestamp: secondsAgo(20) });
  await customerWrites(team.number, newer, { text: 'second', timestamp: secondsAgo(10) });
  await signIn(page, team.owner);
  await expect(page.getByRole('heading', { name: 'Dashboard', level: 1 })).toBeVisible();
  const { box, row, bubble } = inbox(page);

  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await expect(row(newer)).toBeVisible();
  await page.keyboard.press('j');
  await expect(page.getByRole('heading', { name: newer.name, level: 2 })).toBeVisible();
  await page.keyboard.press('j');
  await expect(page.getByRole('heading', { name: older.name, level: 2 })).toBeVisible();
  await page.keyboard.press('r');
  await expect(box).toBeFocused();
  await page.keyboard.type('Two lines');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('of jk text');
  await page.keyboard.press('Enter');
  await expect(bubble('of jk text')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(box).not.toBeFocused();

  await page.keyboard.press('u');
  await expect(row(older)).toContainText('unread message');
  await page.keyboard.press('/');
  await page.keyboard.type('second');
  await expect(row(newer)).toContainText('second');
  await expect(row(older)).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(row(older)).toBeVisible();

  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toContainText('Next conversation');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('textbox', { name: /^Search pages/ })).toBeFocused();
  await page.keyboard.type('Nina');
  await page.getByRole('button', { name: /Nina Newer/ }).first().waitFor();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: newer.name, level: 2 })).toBeVisible();
});

test('older messages load upward without a jump', async ({ page, team }) => {
  const customer = newCustomer('Lim Longthread');
  for (let n = 1; n <= 130; n += 1) {
    await customerWrites(team.number, customer, { text: `Message number ${n}.`, timestamp: secondsAgo(3 * HOUR - n * 30) });
  }
  await signIn(page, team.owner, '/conversations');
  await openConversation(page, customer);
  const { chat, bubble } = inbox(page);
  await expect(bubble('Message number 130.')).toBeInViewport();
  await expect(bubble('Message number 81.')).toBeAttached();
  await expect(bubble('Message number 80.')).toHaveCount(0);

  await bubble('Message number 84.').scrollIntoViewIfNeeded();
  const before = await bubble('Message number 84.').boundingBox();
  await expect(bubble('Message number 40.')).toBeAttached();
  const after = await bubble('Message number 84.').boundingBox();
  expect(Math.abs((after?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(2);

  // What arrives below does not move what is being read.
  await customerWrites(team.number, customer, { text: 'And one more.' });
  await expect(bubble('And one more.')).toBeAttached();
  const still = await bubble('Message number 84.').boundingBox();
  expect(Math.abs((still?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(2);

  await page.getByRole('button', { name: 'Jump to the newest message' }).click();
  await expect(bubble('And one more.')).toBeInViewport();
  await chat.evaluate((box) => box.scrollTo({ top: -box.scrollHeight }));
  await expect(bubble('Message number 1.')).toBeAttached();
});

test('two people in one conversation see each other type, and only their own rights', async ({ page, team, browser }) => {
  const customer = newCustomer('Siti Shared');
  await customerWrites(team.number, customer, { text: 'Hello' });
  const agent = await joinTeam(team, 'Ravi Menon', 'agent');
  const viewer = await joinTeam(team, 'Vera Viewer', 'viewer');
  await signIn(page, team.owner, '/conversations');
  await openConversation(page, customer);

  const second = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage();
  await signIn(second, agent, new URL(page.url()).pathname);
  await inbox(second).box.pressSequentially('I am on it');
  await expect(page.getByText('Ravi Menon is typing…')).toBeVisible();
  await second.keyboard.press('Enter');
  await expect(inbox(page).bubble('I am on it')).toContainText('Ravi Menon');
  await second.context().close();

  const third = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage();
  await signIn(third, viewer, new URL(page.url()).pathname);
  await expect(inbox(third).bubble('I am on it')).toBeVisible();
  await expect(inbox(third).box).toHaveCount(0);
  await third.context().close();
});

test.describe('with a bad connection', () => {
  test.use({ allowed: [failedRequests] });

  test('a message sent offline waits, survives a reload and arrives once', async ({ page, team }) => {
    const customer = newCustomer('Wei Lost');
    await customerWrites(team.number, customer, { text: 'Hello' });
    await signIn(page, team.owner, '/conversations');
    await openConversation(page, customer);
    const { box, bubble } = inbox(page);

    // The request reaches the database, its answer is lost: the worst moment for a second try.
    let lost = 0;
    await page.route('**/rest/v1/rpc/send_message', async (route) => {
      await route.fetch();
      lost += 1;
      await route.abort();
    });
    await box.fill('Once and only once');
    await box.press('Enter');
    await expect(bubble('Once and only once')).toBeVisible();
    await expect.poll(() => lost).toBeGreaterThan(0);
    await page.unroute('**/rest/v1/rpc/send_message');
    await page.reload();
    await expect(bubble('Once and only once')).toContainText(/Delivered|Read/);
    await expect(bubble('Once and only once')).toHaveCount(1);
    expect(await timesArrived(team.number, customer, 'Once and only once')).toBe(1);
  });

  test('while live updates are down the page says so and keeps asking', async ({ page, team }) => {
    const customer = newCustomer('Ahmad Offline');
    let broken = false;
    const open: { close: () => Promise<void> }[] = [];
    await page.routeWebSocket(/\/realtime\/v1\//, (socket) => {
      if (broken) return void socket.close();
      socket.connectToServer();
      open.push(socket);
    });
    await customerWrites(team.number, customer, { text: 'Hello' });
    await signIn(page, team.owner, '/conversations');
    await openConversation(page, customer);
    const { bubble, box } = inbox(page);
    await box.fill('I am typing meanwhile');

    broken = true;
    await Promise.all(open.map((socket) => socket.close()));
    await expect(page.getByText('Reconnecting…')).toBeVisible();
    await customerWrites(team.number, customer, { text: 'Sent while you were away' });
    await expect(bubble('Sent while you were away')).toBeVisible();
    await expect(box).toHaveValue('I am typing meanwhile');

    broken = false;
    await expect(page.getByText('Reconnecting…')).toBeHidden({ timeout: 30_000 });
    await customerWrites(team.number, customer, { text: 'And now live again' });
    await expect(bubble('And now live again')).toBeVisible({ timeout: 3_000 });
  });

  test('a browser without network says so at once', async ({ page, team, context }) => {
    await signIn(page, team.owner, '/conversations');
    await expect(page.getByRole('heading', { name: 'Conversations', level: 1 })).toBeVisible();
    await context.setOffline(true);
    await expect(page.getByText('Reconnecting…')).toBeVisible();
    await context.setOffline(false);
    await expect(page.getByText('Reconnecting…')).toBeHidden({ timeout: 30_000 });
  });
});

test('somebody removed loses access', async ({ page, team }) => {
  const leaver = await joinTeam(team, 'Leo Leaver', 'agent');
  await signIn(page, leaver, '/conversations');
  await expect(page.getByRole('heading', { name: 'Conversations', level: 1 })).toBeVisible();
  await callAs(team.owner, 'remove_member', { p_org_id: team.orgId, p_user_id: leaver.id });
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Set up your workspace' })).toBeVisible();
});
