provider "aws" {
  region = var.region

  default_tags {
    tags = { Project = "postrank", Environment = var.environment }
  }
}
