# GitHub's runners become these roles with a token that GitHub signs for a job ("Configuring OpenID Connect in Amazon Web
# Services"): no AWS key is stored there. Pull requests of the repository itself may plan; each environment, whose
# reviewers and branches GitHub enforces, has a deploy role of its own.

locals {
  issuer  = "token.actions.githubusercontent.com"
  ci      = var.repository == null ? 0 : 1
  account = data.aws_caller_identity.this.account_id

  subjects = var.repository == null ? {} : merge(local.deploy_subjects, {
    plan = ["repo:${var.repository}:pull_request", "repo:${var.repository}:ref:refs/heads/${var.branch}"]
  })
  deployed = var.repository == null ? toset([]) : toset(var.environments)
  deploy_subjects = {
    for environment in local.deployed : "deploy-${environment}" => ["repo:${var.repository}:environment:${environment}"]
  }
}

data "aws_caller_identity" "this" {}

resource "aws_iam_openid_connect_provider" "github" {
  count = local.ci

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "trust" {
  for_each = local.subjects

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github[0].arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = each.value
    }
  }
}

resource "aws_iam_role" "ci" {
  for_each = data.aws_iam_policy_document.trust

  name                 = "postrank-ci-${each.key}"
  assume_role_policy   = each.value.json
  max_session_duration = 3600
}

# Planning reads what there is, and the state. Code of a pull request runs with it, so it sees no data.
resource "aws_iam_role_policy_attachment" "plan" {
  count = local.ci

  role       = aws_iam_role.ci["plan"].name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_role_policy" "plan" {
  count = local.ci

  name   = "plan"
  role   = aws_iam_role.ci["plan"].name
  policy = templatefile("${path.module}/policies/plan.json", { state_bucket = var.bucket, account = local.account })
}

# What any role of an environment may be allowed at most, whatever its own policies say.
resource "aws_iam_policy" "boundary" {
  #checkov:skip=CKV_AWS_287:A boundary allows nothing by itself; it bounds what a role's own policy allows.
  #checkov:skip=CKV_AWS_288:A boundary allows nothing by itself; it bounds what a role's own policy allows.
  #checkov:skip=CKV_AWS_289:A boundary allows nothing by itself; it bounds what a role's own policy allows.
  #checkov:skip=CKV_AWS_290:A boundary allows nothing by itself; it bounds what a role's own policy allows.
  #checkov:skip=CKV_AWS_355:A boundary allows nothing by itself; it bounds what a role's own policy allows.
  for_each = local.deployed

  name        = "postrank-ci-boundary-${each.key}"
  description = "The most that a role of the environment ${each.key} may be allowed."
  policy = templatefile("${path.module}/policies/boundary.json", {
    account     = local.account
    environment = each.key
  })
}

# Deploying makes and changes everything that the root describes in one environment: PowerUserAccess leaves IAM out, and
# of IAM the role gets that environment's roles, within the boundary.
resource "aws_iam_role_policy_attachment" "deploy" {
  for_each = local.deployed

  role       = aws_iam_role.ci["deploy-${each.key}"].name
  policy_arn = "arn:aws:iam::aws:policy/PowerUserAccess"
}

resource "aws_iam_role_policy" "deploy" {
  for_each = local.deployed

  name = "deploy"
  role = aws_iam_role.ci["deploy-${each.key}"].name
  policy = templatefile("${path.module}/policies/deploy.json", {
    account      = local.account
    environment  = each.key
    boundary     = aws_iam_policy.boundary[each.key].arn
    state_bucket = var.bucket
  })
}
