"""Pages under /policy/."""

from django.urls import path

from bluelamp.retention import held_back_views, hold_views, policy_views, proving_views, views

app_name = "retention"
urlpatterns = [
    path("", views.policy, name="policy"),
    path("versions/", policy_views.versions, name="versions"),
    path("propose/", policy_views.propose, name="propose"),
    path("proposals/<int:proposal_id>/", policy_views.proposal, name="proposal"),
    path("proposals/<int:proposal_id>/decide/", policy_views.decide, name="decide_proposal"),
    path("proposals/<int:proposal_id>/reckon/", policy_views.reckon, name="reckon_proposal"),
    path("held-back/", held_back_views.held_back, name="held_back"),
    path("held-back/decide/", held_back_views.decide_held_back, name="decide_held_back"),
    path("held-back/<int:shortening_id>/", held_back_views.shortening, name="shortening"),
    path("holds/", hold_views.holds, name="holds"),
    path("holds/<int:hold_id>/", hold_views.hold, name="hold"),
    path("reviews/", hold_views.reviews, name="reviews"),
    path("reviews/decide/", hold_views.decide_reviews, name="decide_reviews"),
    path("deletions/", views.deletions, name="deletions"),
    path("deletions/<uuid:certificate_id>/", views.certificate, name="certificate"),
    path("deletions/<uuid:certificate_id>.json", views.certificate_json, name="certificate_json"),
    path("deletions/<uuid:certificate_id>/search/", proving_views.search, name="search"),
    path("recordings/<uuid:recording_id>/hold/", views.place_hold, name="place_hold"),
    path("recordings/<uuid:recording_id>/extend/", views.extend, name="extend"),
    path("holds/<int:hold_id>/release/", views.release_hold, name="release_hold"),
]
