import { Skeleton, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { plural } from '@/lib/time';
import { CategoryBadge, StatusBadge } from './badges';
import { languageName } from './languages';
import { bodyOf, type Template } from './model';
import { percent } from './names';
import { Marked } from './preview/marked';
import { TemplateMenu } from './template-row-menu';
import classes from './templates.module.css';

export function TemplatesGrid({ templates }: { templates?: Template[] }) {
  return (
    <ul className={classes.grid} aria-label="Templates">
      {templates
        ? templates.map((template) => <Card key={template.id} template={template} />)
        : Array.from({ length: 6 }, (_, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: placeholders
            <li key={index} className={classes.gridCard}>
              <Skeleton height={18} width="60%" />
              <Skeleton height={18} width={180} mt={12} />
              <Skeleton height={96} mt={12} />
              <Skeleton height={14} width={120} mt={14} />
            </li>
          ))}
    </ul>
  );
}

function Card({ template }: { template: Template }) {
  const body = bodyOf(template);
  return (
    <li className={classes.gridCard}>
      <div className={classes.gridTop}>
        {/* The whole card leads to the template; its menu stands above that. */}
        <Link
          to="/templates/$templateId"
          params={{ templateId: template.id }}
          className={classes.gridName}
          title={template.name}
        >
          {template.name}
        </Link>
        <div className={classes.above}>
          <TemplateMenu template={template} withLinks />
        </div>
      </div>
      <div className={classes.badges}>
        <StatusBadge template={template} />
        <CategoryBadge category={template.category} />
      </div>
      <p className={classes.gridBody} dir="auto" data-empty={!body || undefined}>
        {body ? <Marked text={body} /> : 'Nothing written yet'}
      </p>
      <Text size="sm" c="dimmed" className={classes.gridFoot}>
        <span>{languageName(template.language)}</span>
        <span>
          {template.sent_count > 0
            ? `${plural(template.sent_count, 'message')} sent${typeof template.read_rate === 'number' ? `, ${percent(template.read_rate)} read` : ''}`
            : 'Not sent yet'}
        </span>
      </Text>
    </li>
  );
}
