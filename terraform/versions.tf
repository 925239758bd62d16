terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Bucket and key come from -backend-config; bootstrap/ creates the bucket.
  backend "s3" {
    use_lockfile = true
    encrypt      = true
  }
}
