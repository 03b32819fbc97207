import { Skeleton, Table, Text, VisuallyHidden } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useNow } from '@/lib/clock';
import { count, exactTime, relativeAge } from '@/lib/time';
import { CategoryBadge, StatusBadge } from './badges';
import { languageName } from './languages';
import type { Template } from './model';
import { percent } from './names';
import { TemplateMenu } from './template-row-menu';
import classes from './templates.module.css';

export function TemplatesTable({ templates }: { templates?: Template[] }) {
  return (
    <div className={classes.table}>
      <Table verticalSpacing={8} highlightOnHover stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th className={classes.medium}>Category</Table.Th>
            <Table.Th className={classes.wide}>Language</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th className={`${classes.number} ${classes.medium}`}>Sent</Table.Th>
            <Table.Th className={`${classes.number} ${classes.wide}`}>Read</Table.Th>
            <Table.Th className={classes.wider}>Created</Table.Th>
            <Table.Th className={classes.menu}>
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {templates
            ? templates.map((template) => <Row key={template.id} template={template} />)
            : Array.from({ length: 6 }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: placeholders
                <SkeletonRow key={index} />
              ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Row({ template }: { template: Template }) {
  const navigate = useNavigate();
  const now = useNow(60_000);
  return (
    <Table.Tr
      className={classes.row}
      onClick={() => void navigate({ to: '/templates/$templateId', params: { templateId: template.id } })}
    >
      <Table.Td>
        <Link
          to="/templates/$templateId"
          params={{ templateId: template.id }}
          className={classes.name}
          title={template.name}
          onClick={(event) => event.stopPropagation()}
        >
          {template.name}
        </Link>
        <Text size="sm" c="dimmed" className={classes.narrowOnly}>
          {languageName(template.language)}
        </Text>
      </Table.Td>
      <Table.Td className={classes.medium}>
        <CategoryBadge category={template.category} />
      </Table.Td>
      <Table.Td className={classes.wide}>
        <span className={classes.brief} title={`${languageName(template.language)} (${template.language})`}>
          {languageName(template.language)}
        </span>
      </Table.Td>
      <Table.Td>
        <StatusBadge template={template} />
      </Table.Td>
      <Table.Td className={`${classes.number} ${classes.medium}`}>{count(template.sent_count)}</Table.Td>
      <Table.Td className={`${classes.number} ${classes.wide}`}>{percent(template.read_rate)}</Table.Td>
      <Table.Td className={classes.wider}>
        <time className={classes.brief} dateTime={template.created_at} title={exactTime(template.created_at)}>
          {relativeAge(template.created_at, now)}
        </time>
      </Table.Td>
      {/* A click on the menu is not one on the row. */}
      <Table.Td className={classes.menu} onClick={(event) => event.stopPropagation()}>
        <TemplateMenu template={template} withLinks />
      </Table.Td>
    </Table.Tr>
  );
}

function SkeletonRow() {
  return (
    <Table.Tr>
      <Table.Td>
        <Skeleton height={14} width={180} my={15} />
      </Table.Td>
      <Table.Td className={classes.medium}>
        <Skeleton height={18} width={90} />
      </Table.Td>
      <Table.Td className={classes.wide}>
        <Skeleton height={14} width={100} />
      </Table.Td>
      <Table.Td>
        <Skeleton height={18} width={84} />
      </Table.Td>
      <Table.Td className={classes.medium}>
        <Skeleton height={14} width={40} ml="auto" />
      </Table.Td>
      <Table.Td className={classes.wide}>
        <Skeleton height={14} width={40} ml="auto" />
      </Table.Td>
      <Table.Td className={classes.wider}>
        <Skeleton height={14} width={80} />
      </Table.Td>
      <Table.Td />
    </Table.Tr>
  );
}
