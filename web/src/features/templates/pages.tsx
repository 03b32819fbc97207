import { Pagination } from '@mantine/core';

interface PagesProps {
  total: number;
  page: number;
  onPage: (page: number) => void;
}

export function Pages({ total, page, onPage }: PagesProps) {
  return (
    <Pagination
      total={total}
      value={page}
      onChange={onPage}
      getControlProps={(control) => ({ 'aria-label': `${control} page` })}
      getItemProps={(number) => ({ 'aria-label': `Page ${number}` })}
    />
  );
}
