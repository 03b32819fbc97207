-- PostgREST and postrust reload their schema cache.
notify pgrst, 'reload schema'
