"""Log in and out, invitations, passwords, sessions, tokens, preferences."""

from django.urls import path

from labeling.views import accounts, people

app_name = "accounts"
urlpatterns = [
    path("login/", accounts.log_in, name="login"),
    path("logout/", accounts.log_out, name="logout"),
    path("invitation/<str:secret>/", accounts.accept_invite, name="invite"),
    path("password/", accounts.change_password, name="password_change"),
    path("password/forgotten/", accounts.reset_password, name="password_reset"),
    path("password/forgotten/sent/", accounts.reset_sent, name="password_reset_sent"),
    path("password/forgotten/<uidb64>/<token>/", accounts.new_password, name="password_reset_confirm"),
    path("password/forgotten/done/", accounts.reset_done, name="password_reset_done"),
    path("sessions/", accounts.own_sessions, name="sessions"),
    path("sessions/others/end/", accounts.end_other_sessions, name="end_other_sessions"),
    path("sessions/<int:session_id>/end/", accounts.end_session, name="end_session"),
    path("tokens/", accounts.own_tokens, name="tokens"),
    path("tokens/<int:token_id>/end/", accounts.end_token, name="end_token"),
    path("preferences/", accounts.preferences, name="preferences"),
    path("preferences/comfort/", accounts.set_comfort, name="comfort"),
    path("people/", people.people, name="people"),
    path("people/<int:user_id>/deactivate/", people.deactivate, name="deactivate"),
    path("people/<int:user_id>/reactivate/", people.reactivate, name="reactivate"),
    path("people/<int:user_id>/rights/", people.set_rights, name="set_rights"),
    path("people/<int:user_id>/tokens/end/", people.end_tokens, name="end_tokens"),
]
