import { readFileSync } from 'node:fs';
import { callAs } from '../support/people';
import { expect, signIn, test } from '../support/test';

const digits = () => String(200_000 + Math.floor(Math.random() * 700_000));

test('a file becomes contacts, its bad row comes back with the reason, and contacts become a file', async ({
  page,
  team,
}) => {
  test.setTimeout(120_000);
  const known = `+60191${digits()}`;
  await callAs(team.owner, 'create_contact', {
    p_org_id: team.orgId,
    p_fields: { phone: known, full_name: 'Known Already' },
  });
  await callAs(team.owner, 'create_tag', { p_org_id: team.orgId, p_name: 'From the fair' });
  const csv = [
    'Mobile;Nama;Remarks;Colour',
    `0192${digits()};Siti Imported;likes yoga;red`,
    `0193${digits()};Ömer Imported;;blue`,
    'not a number;Broken Imported;;green',
    `${known};Renamed Imported;;red`,
  ].join('\r\n');

  await signIn(page, team.owner, '/contacts/import');
  await expect(page.getByText('Drop your file here')).toBeVisible();

  await test.step('what cannot be read is refused at once', async () => {
    await page.locator('input[type=file]').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: Buffer.from('x') });
    await expect(page.getByRole('alert')).toContainText('Choose a CSV or XLSX file');
  });

  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'fair.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });

  await test.step('the columns are guessed; what is chosen survives a reload', async () => {
    await expect(page.getByRole('combobox', { name: 'Mobile becomes' })).toHaveValue('Phone');
    await expect(page.getByRole('combobox', { name: 'Nama becomes' })).toHaveValue('Name');
    await expect(page.getByRole('combobox', { name: 'Colour becomes' })).toHaveValue('Leave out');
    await page.getByRole('combobox', { name: 'Remarks becomes' }).click();
    await page.getByRole('option', { name: 'Notes' }).click();
    await page.getByRole('combobox', { name: 'Tag everybody in this file' }).click();
    await page.getByRole('option', { name: 'From the fair' }).click();
    await page.keyboard.press('Escape');
    await page.reload();
    await expect(page.getByRole('combobox', { name: 'Remarks becomes' })).toHaveValue('Notes');
  });

  await test.step('the preview marks the bad row', async () => {
    const preview = page.getByRole('region', { name: 'The first rows, as they will be' }).first();
    await expect(preview.getByText('1 row with a problem')).toBeVisible();
    await expect(preview.getByRole('row', { name: /Siti Imported/ })).toContainText('+60192');
    await expect(preview.getByRole('row', { name: /Broken Imported/ }).getByLabel('Problem')).toBeVisible();
  });

  await page.getByRole('button', { name: /^Import about/ }).click();
  await expect(page.getByRole('heading', { name: 'Your contacts are here' })).toBeVisible({ timeout: 30_000 });
  const counts = page.locator('dl');
  await expect(counts).toHaveText(/added\s*2/);
  await expect(counts).toHaveText(/skipped\s*1/);
  await expect(counts).toHaveText(/with a problem\s*1/);

  await test.step('the rows that failed come back with the reason', async () => {
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download these rows' }).click();
    const file = readFileSync(await (await download).path(), 'utf8');
    expect(file).toContain('Broken Imported');
    expect(file).not.toContain('Siti Imported');
  });

  await test.step('the list has them, with their tag', async () => {
    await page.goto('/contacts?q=Imported');
    await expect(page.getByRole('row', { name: /Ömer Imported/ })).toContainText('From the fair');
    await expect(page.getByRole('row')).toHaveCount(3);
  });

  await test.step('they are exported as a file', async () => {
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click({ timeout: 30_000 });
    const file = readFileSync(await (await download).path());
    expect([...file.subarray(0, 3)], 'Excel needs the mark to read UTF-8').toEqual([0xef, 0xbb, 0xbf]);
    expect(file.toString('utf8')).toContain('Ömer Imported');
    expect(file.toString('utf8')).not.toContain('Known Already');
  });

  await test.step('both are listed', async () => {
    await page.goto('/contacts/jobs');
    await expect(page.getByRole('listitem').filter({ hasText: 'Import of fair.csv' })).toContainText('2 added');
    await expect(page.getByRole('listitem').filter({ hasText: 'Export of contacts' })).toContainText('2 contacts');
  });
});
