# GitHub's runners become these roles with a token that GitHub signs for a job ("Configuring OpenID Connect in Amazon Web
# Services"): no key of AWS's is kept there. Planning is for pull requests of the repository itself, deploying for its
# environments, whose reviewers and branches GitHub holds to.

locals {
  issuer  = "token.actions.githubusercontent.com"
  ci      = var.repository == null ? 0 : 1
  account = data.aws_caller_identity.this.account_id

  subjects = var.repository == null ? {} : {
    plan   = ["repo:${var.repository}:pull_request", "repo:${var.repository}:ref:refs/heads/${var.branch}"]
    deploy = [for environment in var.environments : "repo:${var.repository}:environment:${environment}"]
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

  name = "plan"
  role = aws_iam_role.ci["plan"].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "LockState"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:PutObject"]
        Resource = ["${aws_s3_bucket.state.arn}/*.tflock"]
      },
      {
        Sid         = "NoObjectsButTheState"
        Effect      = "Deny"
        Action      = ["s3:GetObject", "s3:GetObjectVersion"]
        NotResource = ["${aws_s3_bucket.state.arn}/*"]
      },
      {
        Sid      = "NoOtherData"
        Effect   = "Deny"
        Action   = ["athena:GetQueryResults", "kinesis:GetRecords", "logs:GetLogEvents", "logs:FilterLogEvents"]
        Resource = ["*"]
      },
    ]
  })
}

# Deploying makes and changes everything that the root describes: PowerUserAccess leaves IAM out, and of IAM it gets the
# roles that carry Postrank's name, but for those of CI itself.
resource "aws_iam_role_policy_attachment" "deploy" {
  count = local.ci

  role       = aws_iam_role.ci["deploy"].name
  policy_arn = "arn:aws:iam::aws:policy/PowerUserAccess"
}

resource "aws_iam_role_policy" "deploy" {
  count = local.ci

  name = "deploy"
  role = aws_iam_role.ci["deploy"].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "KeepRoles"
        Effect = "Allow"
        Action = [
          "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:CreateRole", "iam:DeleteInstanceProfile",
          "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:GetInstanceProfile", "iam:GetRole",
          "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies",
          "iam:PutRolePolicy", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile", "iam:TagRole",
          "iam:UntagInstanceProfile", "iam:UntagRole", "iam:UpdateAssumeRolePolicy",
        ]
        Resource = [for kind in ["role", "instance-profile"] : "arn:aws:iam::${local.account}:${kind}/postrank-*"]
      },
      {
        Sid       = "LetTheHostBeManaged"
        Effect    = "Allow"
        Action    = ["iam:AttachRolePolicy"]
        Resource  = ["arn:aws:iam::${local.account}:role/postrank-*"]
        Condition = { ArnEquals = { "iam:PolicyARN" = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore" } }
      },
      {
        Sid      = "HandRolesToServices"
        Effect   = "Allow"
        Action   = ["iam:PassRole"]
        Resource = ["arn:aws:iam::${local.account}:role/postrank-*"]
        Condition = { StringEquals = { "iam:PassedToService" = [
          "airflow.amazonaws.com", "ec2.amazonaws.com", "firehose.amazonaws.com", "glue.amazonaws.com"
        ] } }
      },
      {
        Sid      = "LeaveCiAlone"
        Effect   = "Deny"
        Action   = ["iam:*"]
        Resource = ["arn:aws:iam::${local.account}:role/postrank-ci-*"]
      },
    ]
  })
}
