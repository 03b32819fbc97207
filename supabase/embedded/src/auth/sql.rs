//! The statements of Auth, one file each.

macro_rules! statements {
    ($($name:ident = $file:literal;)*) => {
        $(pub const $name: &str = include_str!(concat!("sql/", $file, ".sql"));)*
    };
}

statements! {
    AMR_CLAIMS = "amr_claims";
    BEGIN = "begin";
    CLEAR_RECOVERY = "clear_recovery";
    CONFIRM_USER = "confirm_user";
    DELETE_FLOW_STATE = "delete_flow_state";
    DELETE_ONE_TIME_TOKEN = "delete_one_time_token";
    DELETE_SESSION = "delete_session";
    DELETE_SESSIONS_ALL = "delete_sessions_all";
    DELETE_SESSIONS_OTHERS = "delete_sessions_others";
    DELETE_USER = "delete_user";
    FLOW_STATE_BY_CODE = "flow_state_by_code";
    FORGET_OLD = "forget_old";
    INSERT_AMR_CLAIM = "insert_amr_claim";
    INSERT_AUDIT_ENTRY = "insert_audit_entry";
    INSERT_FLOW_STATE = "insert_flow_state";
    INSERT_IDENTITY = "insert_identity";
    INSERT_MAIL = "insert_mail";
    INSERT_REFRESH_TOKEN = "insert_refresh_token";
    INSERT_SESSION = "insert_session";
    INSERT_USER = "insert_user";
    ISSUE_AUTH_CODE = "issue_auth_code";
    LOCK_SESSION = "lock_session";
    LOCK_USER = "lock_user";
    MAILS = "mails";
    ONE_TIME_TOKEN_BY_HASH = "one_time_token_by_hash";
    ONE_TIME_TOKEN_OF_USER = "one_time_token_of_user";
    REFRESH_TOKEN = "refresh_token";
    REFRESH_TOKEN_SESSION = "refresh_token_session";
    REVOKE_REFRESH_TOKEN = "revoke_refresh_token";
    REVOKE_SESSION_TOKENS = "revoke_session_tokens";
    SAVE_ONE_TIME_TOKEN = "save_one_time_token";
    SESSION_EXISTS = "session_exists";
    SET_BAN = "set_ban";
    SET_CONFIRMATION = "set_confirmation";
    SET_EMAIL = "set_email";
    SET_METADATA = "set_metadata";
    SET_PASSWORD = "set_password";
    SET_RECOVERY = "set_recovery";
    TOUCH_SESSION = "touch_session";
    TOUCH_SIGN_IN = "touch_sign_in";
    USER_BY_EMAIL = "user_by_email";
    USER_BY_ID = "user_by_id";
    USERS_COUNT = "users_count";
    USERS_PAGE = "users_page";
}
