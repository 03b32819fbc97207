import { Pagination } from '@mantine/core';

interface PagesProps {
  total: number;
  page: number;
  onPage: (page: number) => void;
}

/** The pages of a list, few enough at once for the smallest screen. */
export function Pages({ total, page, onPage }: PagesProps) {
  return (
    <Pagination
      total={total}
      value={page}
      siblings={0}
      onChange={onPage}
      getControlProps={(control) => ({ 'aria-label': `${control} page` })}
      getItemProps={(number) => ({ 'aria-label': `Page ${number}` })}
    />
  );
}
