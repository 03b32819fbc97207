import { ActionIcon } from '@mantine/core';
import { IconDotsVertical } from '@tabler/icons-react';
import { Suspense, useState } from 'react';
import { LateMenu } from '@/components/late-menu';
import { lazyPart } from '@/lib/lazy-part';
import type { Template } from './model';

const TemplateActions = lazyPart(async () => (await import('./template-actions')).TemplateActions);
const DeleteTemplate = lazyPart(async () => (await import('./delete-template')).DeleteTemplate);
const DuplicateTemplate = lazyPart(async () => (await import('./duplicate-template')).DuplicateTemplate);

interface TemplateMenuProps {
  template: Template;
  withLinks?: boolean;
  onDeleted?: () => void;
}

/** The menu of a template with the dialogs it leads to. */
export function TemplateMenu({ template, withLinks, onDeleted }: TemplateMenuProps) {
  const [asks, setAsks] = useState<'delete' | 'duplicate'>();
  const close = () => setAsks(undefined);
  return (
    <>
      <LateMenu
        button={(press) => (
          <ActionIcon size={44} aria-label={`More for ${template.name}`} {...press}>
            <IconDotsVertical size={18} />
          </ActionIcon>
        )}
      >
        {(isWanted) => (
          <TemplateActions
            template={template}
            withLinks={withLinks}
            onDelete={() => setAsks('delete')}
            onDuplicate={() => setAsks('duplicate')}
            defaultOpened={isWanted}
          />
        )}
      </LateMenu>
      <Suspense fallback={null}>
        {asks === 'delete' && <DeleteTemplate template={template} onClose={close} onDeleted={onDeleted} />}
        {asks === 'duplicate' && <DuplicateTemplate template={template} onClose={close} />}
      </Suspense>
    </>
  );
}
