import { Text } from '@mantine/core';
import { IconExternalLink, IconPhone, IconTemplate } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useOrg } from '@/features/tenancy/queries';
import type { Template } from '../model';
import { fillIn } from '../placeholders';
import { Marked } from '../preview/marked';
import { templateQuery } from '../queries';
import classes from './sent.module.css';

interface SentTemplateProps {
  templateId: string;
  body: string;
  values: Record<string, unknown>;
}

/** A sent template in the chat: the words as they went out, between what its template has around them. */
export function SentTemplate({ templateId, body, values }: SentTemplateProps) {
  const { orgId } = useOrg();
  const { data: template } = useQuery({ ...templateQuery(orgId, templateId), staleTime: 5 * 60_000 });
  const around = template ? aroundOf(template, values) : undefined;
  return (
    <div>
      <Text size="xs" className={classes.kind}>
        <IconTemplate size={14} aria-hidden /> {template?.name ?? 'Template'}
      </Text>
      {around?.header && (
        <div className={classes.header} dir="auto">
          {around.header}
        </div>
      )}
      <div className={classes.body} dir="auto">
        <Marked text={body} />
      </div>
      {around?.footer && (
        <div className={classes.footer} dir="auto">
          {around.footer}
        </div>
      )}
      {around && around.buttons.length > 0 && (
        <ul className={classes.buttons} aria-label="Buttons">
          {around.buttons.map(({ kind, text }) => (
            <li key={`${kind} ${text}`}>
              {kind === 'URL' && <IconExternalLink size={14} aria-hidden />}
              {kind === 'PHONE_NUMBER' && <IconPhone size={14} aria-hidden />}
              {text}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const str = (value: unknown) => (typeof value === 'string' ? value : '');

/** What stands around the body; what a template was before its last edit is not known any more. */
function aroundOf(template: Template, values: Record<string, unknown>) {
  let header = '';
  let footer = '';
  let buttons: { kind: string; text: string }[] = [];
  for (const component of template.components) {
    const type = component.type.toUpperCase();
    if (type === 'HEADER')
      header =
        component.format === 'TEXT'
          ? fillIn(str(component.text), (name) => str(values[`header.${name}`]))
          : `${str(component.format).charAt(0)}${str(component.format).slice(1).toLowerCase()}`;
    if (type === 'FOOTER') footer = str(component.text);
    if (type === 'BUTTONS' && Array.isArray(component.buttons))
      buttons = component.buttons.map((button: Record<string, unknown>) => ({
        kind: str(button.type).toUpperCase(),
        text: str(button.text) || 'Copy code',
      }));
  }
  return { header, footer, buttons };
}
