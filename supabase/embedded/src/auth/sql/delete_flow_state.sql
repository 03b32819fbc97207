delete from auth.flow_state where auth_code = $1
